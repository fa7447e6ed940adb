"""Training steps in functions and closures, with configs, schedulers, hooks and logging."""

import argparse
import logging
import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from tests.graph.steps.data import Batch, Sample, digits, table, text

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft.optim import SGD, Adam, AdamW
from weft.optim import lr_scheduler as lrs

logger = logging.getLogger("train")


@dataclass
class Config:
    lr: float = 0.05
    hidden: int = 16
    smoothing: float = 0.1
    clip: float = 1.0
    dims: list[int] = field(default_factory=lambda: [64, 16, 10])


def mlp(dims, act=nn.ReLU, dropout=0.0):
    layers = []
    for a, b in pairwise(dims):
        layers += [nn.Linear(a, b), act(), nn.Dropout(dropout)]
    return nn.Sequential(*layers[:-2])


def dataclass_config(world):
    config = Config()
    model = mlp(config.dims)
    opt = SGD(model.parameters(), lr=config.lr, momentum=0.9)
    images, labels = digits()

    @world.compile
    def train_step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y, label_smoothing=config.smoothing)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        opt.step()
        return loss.detach()

    world.keep(model, opt)
    for i in range(6):
        at = slice(i * 4, i * 4 + 4)
        yield train_step(images[at], labels[at])


def namespace_args(world):
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--no-bias", action="store_true")
    args = parser.parse_args([])
    model = nn.Sequential(
        nn.Linear(6, 8, bias=not args.no_bias), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0)
    )
    opt = AdamW(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    x, y = table()

    def train(batch_x, batch_y):
        opt.zero_grad()
        out = model(batch_x)
        loss = F.binary_cross_entropy_with_logits(out, batch_y.flatten())
        if args.weight_decay:
            loss = loss + 0 * sum(p.square().sum() for p in model.parameters())
        loss.backward()
        opt.step()
        return loss.detach()

    train = world.compile(train)
    world.keep(model, opt)
    for epoch in range(2):
        for i in range(0, 24, 8):
            yield train(x[i : i + 8], y[i : i + 8]), epoch


def yaml_dict(world):
    cfg = {
        "model": {"hidden": [32, 16], "dropout": 0.2, "act": "gelu"},
        "optim": {"name": "adam", "lr": 1e-3, "betas": [0.9, 0.99]},
        "loss": {"weights": {"ce": 1.0, "l2": 1e-3}},
    }
    acts = {"relu": F.relu, "gelu": F.gelu}

    class Net(nn.Module):
        def __init__(self, cfg):
            super().__init__()
            self.cfg = cfg
            sizes = [64, *cfg["hidden"], 10]
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

        def forward(self, x):
            act = acts[self.cfg["act"]]
            for i, layer in enumerate(self.layers):
                x = layer(x)
                if i + 1 < len(self.layers):
                    x = F.dropout(act(x), self.cfg["dropout"], self.training)
            return x

    net = Net(cfg["model"])
    opt = Adam(net.parameters(), lr=cfg["optim"]["lr"], betas=tuple(cfg["optim"]["betas"]))
    images, labels = digits()

    @world.compile
    def step(x, y):
        out = net(x)
        weights = cfg["loss"]["weights"]
        ce = F.cross_entropy(out, y)
        l2 = sum((p**2).sum() for n, p in net.named_parameters() if "bias" not in n)
        loss = weights["ce"] * ce + weights["l2"] * l2
        opt.zero_grad()
        loss.backward()
        opt.step()
        return {"loss": loss.detach(), "ce": ce.detach()}

    world.keep(net, opt)
    for _ in range(6):
        yield step(images, labels)


class Hyper:
    lr = 0.1
    warmup = 2
    steps = 6
    label_smoothing = 0.05


def class_config_with_warmup(world):
    model = mlp([64, 12, 10], nn.Tanh)
    opt = SGD(model.parameters(), lr=Hyper.lr)

    def rate(step):
        if step < Hyper.warmup:
            return (step + 1) / Hyper.warmup
        return 0.5 * (1 + math.cos(math.pi * step / Hyper.steps))

    scheduler = lrs.LambdaLR(opt, rate)
    criterion = nn.CrossEntropyLoss(label_smoothing=Hyper.label_smoothing)
    images, labels = digits()

    @world.compile
    def step(x, y):
        opt.zero_grad(set_to_none=True)
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
        return loss.detach()

    world.keep(model, opt)
    history = []
    for _ in range(Hyper.steps):
        loss = step(images, labels)
        scheduler.step()
        history.append(loss.item())
        yield loss, scheduler.get_last_lr(), list(history)


def hooks(world):
    model = mlp([64, 16, 10])
    opt = SGD(model.parameters(), lr=0.1)
    shift = 0.01

    def noisy(module, args, output):
        return output + shift

    def scaled(module, args):
        return (args[0] * 2 - 1,)

    model[0].register_forward_pre_hook(scaled)
    handle = model[0].register_forward_hook(noisy)
    images, labels = digits()

    @world.compile
    def step(x, y):
        opt.zero_grad()
        loss = F.nll_loss(F.log_softmax(model(x), dim=1), y)
        loss.backward()
        opt.step()
        return loss.detach()

    world.keep(model, opt)
    for _ in range(6):
        yield step(images, labels)
    handle.remove()
    for _ in range(3):
        yield step(images, labels)


def dataclass_batches(world):
    model = mlp([64, 16, 10])
    opt = Adam(model.parameters())
    images, labels = digits()
    batches = [Batch(images[i : i + 4], labels[i : i + 4]) for i in range(0, 24, 4)]

    @world.compile
    def step(batch):
        opt.zero_grad()
        loss = batch.weight * F.cross_entropy(model(batch.images), batch.labels)
        loss.backward()
        opt.step()
        return loss.detach()

    world.keep(model, opt)
    for batch in batches:
        yield step(batch)


def dict_batches(world):
    embed = nn.Embedding(20, 8)
    head = nn.Linear(8, 20)
    params = [*embed.parameters(), *head.parameters()]
    opt = AdamW(params, lr=0.01)
    tokens, targets = text()

    def collate(rows):
        return {"input_ids": tokens[rows], "labels": targets[rows], "pad": 0}

    @world.compile
    def step(batch):
        opt.zero_grad()
        logits = head(embed(batch["input_ids"]))
        loss = F.cross_entropy(
            logits.view(-1, 20), batch["labels"].reshape(-1), ignore_index=batch["pad"]
        )
        loss.backward()
        opt.step()
        return loss.detach()

    world.keep(nn.ModuleList([embed, head]), opt)
    for i in range(6):
        yield step(collate(slice(2 * i, 2 * i + 2)))


def namedtuple_batches(world):
    model = nn.Sequential(nn.Linear(6, 12), nn.SiLU(), nn.Linear(12, 1), nn.Sigmoid())
    opt = SGD(model.parameters(), lr=0.5, momentum=0.9, nesterov=True)
    x, y = table()

    @world.compile
    def step(sample, weights):
        prediction = model(sample.inputs)
        loss = F.binary_cross_entropy(prediction, sample.targets, reduction="none")
        loss = (loss * weights).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return prediction.detach(), loss.detach()

    world.keep(model, opt)
    for i in range(6):
        yield step(Sample(x[4 * i : 4 * i + 4], y[4 * i : 4 * i + 4]), weft.ones(4, 1))


def logging_outside(world):
    model = mlp([64, 16, 10])
    opt = Adam(model.parameters(), lr=0.01)
    history = defaultdict(list)
    smooth = deque(maxlen=3)
    best, patience = float("inf"), 3
    images, labels = digits()

    @world.compile
    def step(x, y):
        opt.zero_grad()
        out = model(x)
        loss = F.cross_entropy(out, y)
        loss.backward()
        opt.step()
        return loss.detach(), (out.argmax(1) == y).float().mean().detach()

    world.keep(model, opt)
    for n in range(6):
        loss, accuracy = step(images, labels)
        history["loss"].append(loss.item())
        history["accuracy"].append(accuracy.item())
        smooth.append(loss.item())
        if n % 2 == 0:
            logger.debug("step %d: %.4f", n, sum(smooth) / len(smooth))
        if loss.item() < best:
            best, patience = loss.item(), 3
        else:
            patience -= 1
        if patience == 0:
            break
        yield dict(history)


def accumulation_by_argument(world):
    model = mlp([64, 16, 10])
    opt = SGD(model.parameters(), lr=0.1)
    images, labels = digits()
    every = 2

    @world.compile
    def step(x, y, update):
        loss = F.cross_entropy(model(x), y) / every
        loss.backward()
        if update:
            opt.step()
            opt.zero_grad()
        return loss.detach()

    world.keep(model, opt)
    for i in range(12):
        at = slice((2 * i) % 24, (2 * i) % 24 + 2)
        yield step(images[at], labels[at], update=(i + 1) % every == 0)


def functional_parameters(world):
    weft.manual_seed(3)
    params = {
        "w1": (weft.randn(6, 16) * 0.3).requires_grad_(),
        "b1": weft.zeros(16, requires_grad=True),
        "w2": (weft.randn(16, 1) * 0.3).requires_grad_(),
        "b2": weft.zeros(1, requires_grad=True),
    }
    lr = 0.1
    x, y = table()

    def forward(params, x):
        h = weft.tanh(x @ params["w1"] + params["b1"])
        return h @ params["w2"] + params["b2"]

    @world.compile
    def step(x, y):
        loss = F.mse_loss(forward(params, x), y)
        loss.backward()
        with weft.no_grad():
            for p in params.values():
                p -= lr * p.grad
                p.grad = None
        return loss.detach()

    world.keep_tensors(params.values())
    for _ in range(6):
        yield step(x, y)


def closures_and_partials(world):
    def make_loss(kind, weight):
        table = {"mse": F.mse_loss, "l1": F.l1_loss}

        def loss(out, target):
            return weight * table[kind](out, target)

        return loss

    def regular(model, strength):
        return strength * sum(p.abs().sum() for p in model.parameters())

    model = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 1))
    losses = [make_loss("mse", 1.0), make_loss("l1", 0.5)]
    penalty = partial(regular, strength=1e-3)
    opt = Adam(model.parameters(), lr=0.02)
    x, y = table()

    def step(x, y):
        opt.zero_grad()
        out = model(x)
        total = sum(loss(out, y) for loss in losses) + penalty(model)
        total.backward()
        opt.step()
        return total.detach()

    fast = world.compile(step)
    world.keep(model, opt)
    for _ in range(6):
        yield fast(x, y)


def logging_inside(world):
    """Prints and appends inside the step: one warning for each line that a plan cannot repeat."""
    model = mlp([64, 16, 10])
    opt = SGD(model.parameters(), lr=0.1)
    images, labels = digits()
    seen = []

    @world.compile
    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        logger.info("one more step")
        seen.append(len(x))
        return loss.detach()

    world.keep(model, opt)
    for _ in range(6):
        yield step(images, labels)


logging_inside.warns = 2


PROGRAMS: list[Any] = [
    logging_inside,
    dataclass_config,
    namespace_args,
    yaml_dict,
    class_config_with_warmup,
    hooks,
    dataclass_batches,
    dict_batches,
    namedtuple_batches,
    logging_outside,
    accumulation_by_argument,
    functional_parameters,
    closures_and_partials,
]
