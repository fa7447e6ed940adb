"""A small transformer learns to write like Shakespeare, one character at a time.

    python examples/shakespeare_gpt.py --mode static --data path/to/input.txt

The model is GPT's (Radford et al., 2019): 4 layers, 4 heads, 128 dimensions, context 64. Expect a
validation loss near 1.9 nats after 2,000 steps.
"""

import argparse
import math
import os
from pathlib import Path

import numpy as np

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft._progress import Progress

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
DATA = Path(os.environ.get("WEFT_DATA", SHARED)) / "tinyshakespeare" / "input.txt"


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.qkv(x).reshape(batch, length, 3 * self.heads, width // self.heads)
        q, k, v = parts.transpose(1, 2).split(self.heads, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width, bias=False), nn.GELU(),
            nn.Linear(4 * width, width, bias=False),
        )  # fmt: skip

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, letters, context, width=128, layers=4, heads=4):
        super().__init__()
        self.context = context
        self.letter, self.place = nn.Embedding(letters, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        for name, param in self.named_parameters():
            if param.dim() == 2:
                last = name.endswith(("out.weight", "mlp.2.weight"))
                nn.init.normal_(param, std=0.02 / math.sqrt(2 * layers) if last else 0.02)

    def forward(self, tokens):
        x = self.letter(tokens) + self.place(weft.arange(tokens.shape[1]))
        return F.linear(self.norm(self.blocks(x)), self.letter.weight)


class Text:
    """Characters as numbers: the first nine tenths to learn from, the rest to validate with."""

    def __init__(self, path):
        text = Path(path).read_text(encoding="utf-8")
        self.letters = sorted(set(text))
        numbers = {letter: i for i, letter in enumerate(self.letters)}
        tokens = np.array([numbers[letter] for letter in text], np.int64)
        cut = len(tokens) * 9 // 10
        self.parts = {"train": tokens[:cut], "val": tokens[cut:]}

    def batch(self, part, size, context, rng):
        tokens = self.parts[part]
        starts = rng.integers(0, len(tokens) - context, size)
        rows = tokens[starts[:, None] + np.arange(context + 1)]
        return weft.tensor(rows[:, :-1]), weft.tensor(rows[:, 1:])


def loss_of(model, x, y):
    logits = model(x)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


def validate(model, text, args, batches=40):
    rng = np.random.default_rng(1)
    with weft.no_grad():
        losses = [
            loss_of(model, *text.batch("val", args.batch_size, args.context, rng)).item()
            for _ in range(batches)
        ]
    return sum(losses) / len(losses)


def write(model, text, length, rng, temperature=0.8):
    tokens = [text.letters.index("\n")]
    with weft.no_grad():
        for _ in range(length):
            seen = weft.tensor([tokens[-model.context :]])
            chances = F.softmax(model(seen)[0, -1] / temperature, dim=-1).numpy().astype(np.float64)
            tokens.append(int(rng.choice(len(chances), p=chances / chances.sum())))
    return "".join(text.letters[token] for token in tokens[1:])


def schedule(steps, warmup=100):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 0.1 + 0.45 * (1 + math.cos(math.pi * done))

    return factor


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", choices=("eager", "static"), default="static")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=12)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--letters", type=int, default=500, help="how much to write at the end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default=DATA, help="a text file")
    args = parser.parse_args(argv)

    weft.manual_seed(args.seed)
    rng, text = np.random.default_rng(args.seed), Text(args.data)
    model = GPT(len(text.letters), args.context)
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    opt = weft.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.99))
    rates = weft.optim.lr_scheduler.LambdaLR(opt, schedule(args.steps))

    def step(x, y):
        opt.zero_grad()
        loss = loss_of(model, x, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        return loss

    run = weft.compile(step) if args.mode == "static" else step
    bar = Progress(args.steps, f"{args.mode} step")
    for _ in bar:
        bar.note(loss=run(*text.batch("train", args.batch_size, args.context, rng)))
        rates.step()

    result = validate(model, text, args)
    print(f"validation loss {result:.3f}\n\n{write(model, text, args.letters, rng)}")
    return result


if __name__ == "__main__":
    main()
