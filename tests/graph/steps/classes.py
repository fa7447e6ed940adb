"""Training steps in classes: trainers, metrics, averages, adversaries, schedules."""

import copy
import math
from typing import Any

from tests.graph.steps.data import digits, table, text

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft.optim import SGD, Adam, AdamW
from weft.optim import lr_scheduler as lrs


class Trainer:
    """As in countless repositories."""

    def __init__(self, world, model, opt, scheduler=None):
        self.model, self.opt, self.scheduler = model, opt, scheduler
        self.step_count = 0
        self.losses = []
        self.step = world.compile(self.training_step)

    def training_step(self, batch, target):
        self.opt.zero_grad()
        loss = self.loss(self.model(batch), target)
        loss.backward()
        self.opt.step()
        return loss.detach()

    def loss(self, out, target):
        return F.cross_entropy(out, target)

    def fit(self, batches):
        for x, y in batches:
            loss = self.step(x, y)
            self.step_count += 1
            self.losses.append(loss.item())
            if self.scheduler is not None:
                self.scheduler.step()
            yield self.step_count, loss


def trainer_class(world):
    model = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    opt = SGD(model.parameters(), lr=0.1, momentum=0.9)
    trainer = Trainer(world, model, opt, lrs.StepLR(opt, 2, gamma=0.5))
    images, labels = digits()
    world.keep(model, opt)
    yield from trainer.fit([(images[i : i + 4], labels[i : i + 4]) for i in range(0, 24, 4)])


class Generator(nn.Module):
    def __init__(self, z=4):
        super().__init__()
        self.z = z
        self.net = nn.Sequential(nn.Linear(z, 16), nn.LeakyReLU(0.2), nn.Linear(16, 6))

    def forward(self, n):
        return self.net(weft.randn(n, self.z))


def gan(world):
    g = Generator()
    d = nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(16, 1))
    opt_g = Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_d = Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    data, _ = table()

    @world.compile
    def step(real):
        n = real.shape[0]
        ones, zeros = weft.ones(n, 1), weft.zeros(n, 1)
        opt_d.zero_grad()
        fake = g(n)
        loss_d = bce(d(real), ones) + bce(d(fake.detach()), zeros)
        loss_d.backward()
        opt_d.step()
        opt_g.zero_grad()
        loss_g = bce(d(fake), ones)
        loss_g.backward()
        opt_g.step()
        return loss_d.detach(), loss_g.detach()

    world.keep(g, opt_g)
    world.keep(d, opt_d)
    for i in range(6):
        yield step(data[4 * i : 4 * i + 4])


class EMA:
    def __init__(self, model, decay=0.9):
        self.model, self.decay = model, decay
        self.shadow = copy.deepcopy(model)
        for p in self.shadow.parameters():
            p.requires_grad_(False)

    def update(self):
        with weft.no_grad():
            for s, p in zip(self.shadow.parameters(), self.model.parameters(), strict=True):
                s.mul_(self.decay).add_(p, alpha=1 - self.decay)


def moving_average(world):
    model = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10))
    ema = EMA(model)
    opt = AdamW(model.parameters(), lr=0.01)
    images, labels = digits()

    @world.compile
    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        ema.update()
        with weft.no_grad():
            teacher = ema.shadow(x).softmax(dim=1)
        return loss.detach(), teacher

    world.keep(model, opt)
    world.keep(ema.shadow, None)
    for _ in range(6):
        yield step(images, labels)


class TiedLM(nn.Module):
    def __init__(self, vocabulary=20, width=16, heads=2, layers=2, context=8):
        super().__init__()
        self.context = context
        self.tokens = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads, context) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids, targets=None):
        _, length = ids.shape
        assert length <= self.context, "the sequence is too long"
        x = self.tokens(ids) + self.places(weft.arange(length))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        if targets is None:
            return logits, None
        loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))
        return logits, loss


class Block(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norms = nn.ModuleDict({"a": nn.LayerNorm(width), "m": nn.LayerNorm(width)})
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.register_buffer("mask", weft.ones(context, context).tril())

    def attend(self, x):
        n, length, width = x.shape
        q, k, v = self.qkv(x).split(width, dim=2)
        shape = (n, length, self.heads, width // self.heads)
        q, k, v = (t.view(*shape).transpose(1, 2) for t in (q, k, v))
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        scores = scores.masked_fill(self.mask[:length, :length] == 0, float("-inf"))
        out = scores.softmax(dim=-1) @ v
        return self.out(out.transpose(1, 2).reshape(n, length, width))

    def forward(self, x):
        x = x + self.attend(self.norms["a"](x))
        return x + self.mlp(self.norms["m"](x))


def tied_language_model(world):
    model = TiedLM()
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    opt = AdamW(groups, lr=1e-2, betas=(0.9, 0.95))
    ids, targets = text()

    @world.compile
    def step(x, y):
        _, loss = model(x, y)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        return loss.detach()

    world.keep(model, opt)
    for n in range(6):
        for group in opt.param_groups:
            group["lr"] = 1e-2 * (n + 1) / 6
        yield step(ids[2 * n : 2 * n + 2], targets[2 * n : 2 * n + 2])


class Accuracy:
    def __init__(self):
        self.reset()

    def reset(self):
        self.right, self.seen = weft.zeros(()), weft.zeros(())

    def update(self, out, target):
        self.right += (out.argmax(1) == target).sum()
        self.seen += len(target)

    def compute(self):
        return self.right / self.seen


def metrics_inside(world):
    model = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    opt = SGD(model.parameters(), lr=0.1)
    accuracy = Accuracy()
    images, labels = digits()

    @world.compile
    def step(x, y):
        opt.zero_grad()
        out = model(x)
        loss = F.cross_entropy(out, y)
        loss.backward()
        opt.step()
        accuracy.update(out.detach(), y)
        return loss.detach()

    world.keep(model, opt)
    for i in range(6):
        yield step(images[4 * i : 4 * i + 4], labels[4 * i : 4 * i + 4]), accuracy.compute()


class Scheduled(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 32), nn.Linear(32, 10)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.last(self.drop(F.relu(self.first(x))))


def dropout_schedule(world):
    model = Scheduled()
    opt = Adam(model.parameters(), lr=0.01)
    images, labels = digits()

    @world.compile
    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss.detach()

    @world.compile
    def evaluate(x, y):
        with weft.no_grad():
            return (model(x).argmax(dim=1) == y).float().mean()

    world.keep(model, opt)
    for epoch in range(3):
        model.drop.p = 0.5 / (epoch + 1)
        model.train()
        for _ in range(4):
            yield step(images, labels)
        model.eval()
        for _ in range(3):
            yield evaluate(images, labels)


def models_in_a_dict(world):
    models = {"encoder": nn.Linear(64, 8), "decoder": nn.Linear(8, 64)}
    opts = {k: Adam(m.parameters(), lr=0.01) for k, m in models.items()}
    weights = {"image": 1.0, "code": 1e-2}
    images, _ = digits()

    @world.compile
    def step(x):
        for opt in opts.values():
            opt.zero_grad()
        code = models["encoder"](x).tanh()
        losses = {
            "image": F.mse_loss(models["decoder"](code).sigmoid(), x),
            "code": code.abs().mean(),
        }
        total = sum(weights[k] * v for k, v in losses.items())
        total.backward()
        for opt in opts.values():
            opt.step()
        return {k: v.detach() for k, v in losses.items()}

    for name in models:
        world.keep(models[name], opts[name])
    for _ in range(6):
        yield step(images)


class Residual(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.depth = depth
        self.layers = nn.ModuleList()
        for _ in range(depth):
            self.layers.append(
                nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU())
            )
        self.gates = nn.ParameterList([nn.Parameter(weft.ones(1)) for _ in range(depth)])
        self.register_buffer("scale", weft.full((1,), 0.5))

    def forward(self, x):
        outputs = []
        for layer, gate in zip(self.layers, self.gates, strict=True):
            x = x + self.scale * gate * layer(x)
            outputs.append(x)
        return weft.stack(outputs).mean(dim=0)


def mixed_containers(world):
    model = nn.Sequential(
        nn.Linear(64, 16),
        Residual(16, 3),
        nn.ModuleDict({"head": nn.Linear(16, 10), "aux": nn.Linear(16, 2)})["head"],
    )
    opt = SGD(
        [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[1:].parameters()}], lr=0.1
    )
    scheduler = lrs.CosineAnnealingLR(opt, 6)
    images, labels = digits()

    @world.compile
    def step(x, y):
        opt.zero_grad()
        losses = []
        for part, target in zip(x.chunk(2), y.chunk(2), strict=True):
            losses.append(F.cross_entropy(model(part), target))
        loss = weft.stack(losses).mean()
        loss.backward()
        opt.step()
        return loss.detach(), [each.detach() for each in losses]

    world.keep(model, opt)
    for _ in range(6):
        yield step(images, labels)
        scheduler.step()


class Lightning(nn.Module):
    """A module that carries its own step, as Lightning's do."""

    def __init__(self, lr=0.01):
        super().__init__()
        self.hparams = {"lr": lr, "beta": 0.1}
        self.encoder = nn.Linear(64, 8)
        self.mean, self.logvar = nn.Linear(8, 4), nn.Linear(8, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 64))
        self.logged = {}

    def configure_optimizers(self):
        return Adam(self.parameters(), lr=self.hparams["lr"])

    def forward(self, x):
        h = F.relu(self.encoder(x))
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + weft.exp(0.5 * logvar) * weft.randn_like(mean)
        return self.decoder(z), mean, logvar

    def training_step(self, x):
        out, mean, logvar = self(x)
        image = F.binary_cross_entropy_with_logits(out, x)
        kl = -0.5 * (1 + logvar - mean.pow(2) - logvar.exp()).sum(dim=1).mean()
        return image + self.hparams["beta"] * kl, {"image": image.detach(), "kl": kl.detach()}


def variational_autoencoder(world):
    model = Lightning()
    opt = model.configure_optimizers()
    images, _ = digits()

    @world.compile
    def step(x):
        loss, logs = model.training_step(x)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss.detach(), logs

    world.keep(model, opt)
    for i in range(6):
        if i == 4:
            model.hparams["beta"] = 0.5
        yield step(images)


PROGRAMS: list[Any] = [
    trainer_class,
    gan,
    moving_average,
    tied_language_model,
    metrics_inside,
    dropout_schedule,
    models_in_a_dict,
    mixed_containers,
    variational_autoencoder,
]
