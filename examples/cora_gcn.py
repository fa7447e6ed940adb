"""A graph network learns the subjects of 2,708 papers from 140 of them (Kipf, Welling, 2017).

    python examples/cora_gcn.py --mode static

Cora ships with weft; expect about 81 % test accuracy.
"""

import argparse

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft._progress import Progress
from weft.datasets import cora


class GCN(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.first = nn.Linear(n_in, n_hidden, bias=False)
        self.second = nn.Linear(n_hidden, n_out, bias=False)
        for weight in self.parameters():
            nn.init.xavier_uniform_(weight)

    def forward(self, a_hat, x):
        x = F.dropout(F.relu(a_hat @ self.first(x)), 0.5, self.training)
        return a_hat @ self.second(x)


def accuracy(model, data, rows):
    model.eval()
    with weft.no_grad():
        guess = model(data.a_hat, data.features)[rows].argmax(dim=1)
    model.train()
    return (guess == data.y[rows]).to(weft.float32).mean().item()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=("eager", "static"), default="static")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", help="another cora.npz than the one that ships with weft")
    args = parser.parse_args(argv)

    weft.manual_seed(args.seed)
    data = cora(path=args.data)
    model = GCN(data.num_features, args.hidden, data.num_classes)
    opt = weft.optim.Adam(
        [
            {"params": model.first.parameters(), "weight_decay": 5e-4},
            {"params": model.second.parameters()},
        ],
        lr=0.01,
    )
    targets = data.y[data.train]

    def step():
        opt.zero_grad()
        loss = F.cross_entropy(model(data.a_hat, data.features)[data.train], targets)
        loss.backward()
        opt.step()
        return loss

    run = weft.compile(step) if args.mode == "static" else step
    bar = Progress(args.epochs, f"{args.mode} epoch")
    for _ in bar:
        bar.note(loss=run())

    result = accuracy(model, data, data.test)
    print(f"validation accuracy {accuracy(model, data, data.val):.1%}, test accuracy {result:.1%}")
    return result


if __name__ == "__main__":
    main()
