"""What a tensor says of itself."""

import weft


def test_sizes_and_kinds():
    x = weft.zeros(2, 3, dtype=weft.float64)
    assert x.dim() == x.ndim == 2
    assert x.nelement() == x.numel() == 6
    assert x.element_size() == x.itemsize == 8
    assert x.is_floating_point() and not x.long().is_floating_point()
    assert (x.device, x.is_cuda, x.is_sparse) == ("cpu", False, False)


def test_what_is_a_tensor():
    assert weft.is_tensor(weft.ones(1)) and weft.is_tensor(weft.nn.Parameter(weft.ones(1)))
    assert not weft.is_tensor([1.0])


def test_transposes():
    x = weft.arange(12).view(2, 3, 2)
    assert x.T.shape == (2, 3, 2) and x.T[1, 2, 0].item() == x[0, 2, 1].item()
    assert x.mT.shape == (2, 2, 3) and x.mT[1, 0, 2].item() == x[1, 2, 0].item()
