"""The Facebook pages: real, small, damaged."""

import gzip
import json

import numpy as np
import pytest

import weft
from weft.datasets import CorruptDataError, facebook_pages

GOOD = {
    "target.csv": "id,facebook_id,page_name,page_type\n"
    '0,7,"A, ""b""",tvshow\n1,8,Ä,company\n2,9,,tvshow\n',
    "edges.csv": "id_1,id_2\n0,1\n1,1\n2,1\n",
    "features.json": json.dumps({"2": [5], "0": [3, 0], "1": []}),
}


def write(folder, **changes):
    for name, content in {**GOOD, **{k.replace("_", "."): v for k, v in changes.items()}}.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / f"musae_facebook_{name}").write_bytes(raw)


def test_small(tmp_path):
    write(tmp_path)
    pages = facebook_pages(tmp_path)
    assert (pages.num_nodes, pages.num_features, pages.num_classes) == (3, 6, 2)
    assert pages.class_names == ("company", "tvshow")
    assert pages.page_names == ('A, "b"', "Ä", "")
    assert pages.y.tolist() == [1, 0, 1]
    assert pages.edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    features = pages.features @ weft.tensor(np.eye(6, dtype=np.float32))
    assert features.tolist() == [[1, 0, 0, 1, 0, 0], [0] * 6, [0, 0, 0, 0, 0, 1]]
    assert (pages.a_hat @ weft.ones(3, 1)).numpy()[1, 0] == pytest.approx(1 / 3 + 2 / 6**0.5)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("target_csv", "", "is empty"),
        ("target_csv", "id,page\n", "expected header"),
        ("target_csv", "id,facebook_id,page_name,page_type\n", "lists no pages"),
        ("target_csv", GOOD["target.csv"] + "3,4\n", "line 5: expected 4 fields, got 2"),
        ("target_csv", GOOD["target.csv"] + "4,1,x,y\n", "line 5: expected id 3, got '4'"),
        ("target_csv", GOOD["target.csv"] + "3,1,x,\n", "line 5: page_type is empty"),
        ("target_csv", GOOD["target.csv"] + '3,1,"x,y', "line 5: "),
        ("target_csv", b"\xff\xfe", "is not UTF-8 at byte 0"),
        ("edges_csv", "id_1,id_2\n0,1\n0,x\n", "line 3: expected two page numbers"),
        ("edges_csv", "id_1,id_2\n0," + "9" * 5000, "line 2: expected two page numbers"),
        ("edges_csv", "id_1,id_2\n0,-1\n", "line 2: expected two page numbers"),
        ("edges_csv", "id_1,id_2\n0,3\n", "line 2: expected pages 0 to 2"),
        ("features_json", "", "is no JSON"),
        ("features_json", '{"0": [1], "1"', "is no JSON"),
        ("features_json", "[" * 100_000, "is no JSON"),
        ("features_json", '{"0": [' + "9" * 5000 + "]}", "is no JSON"),
        ("features_json", "[1]", "expected a JSON object, got a list"),
        ("features_json", '{"0": [1], "1": []}', "1 in all, for example '2'"),
        ("features_json", '{"0": [1], "0": [], "1": [], "2": []}', "lists a page twice"),
        ("features_json", '{"0": [1.5], "1": [], "2": []}', "page 0: expected a list of integers"),
        ("features_json", '{"0": [true], "1": [], "2": []}', "page 0: expected a list of integers"),
        ("features_json", '{"0": [-1], "1": [], "2": []}', "page 0: a feature number is out of"),
        ("features_json", '{"0": [1, 1], "1": [], "2": []}', "page 0: lists a feature twice"),
    ],
)
def test_damaged(tmp_path, name, content, text):
    write(tmp_path, **{name: content})
    with pytest.raises(CorruptDataError, match=text) as caught:
        facebook_pages(tmp_path)
    assert f"musae_facebook_{name.replace('_', '.')}" in str(caught.value)


def test_truncated_gzip(tmp_path):
    write(tmp_path)
    plain = tmp_path / "musae_facebook_edges.csv"
    whole = gzip.compress(plain.read_bytes() * 50)
    plain.unlink()
    (tmp_path / "musae_facebook_edges.csv.gz").write_bytes(whole[:-10])
    with pytest.raises(CorruptDataError, match=r"edges.csv.gz: the gzip stream ends early"):
        facebook_pages(tmp_path)


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has neither musae_facebook_target\.csv nor"):
        facebook_pages(tmp_path)


def test_the_real_files(folder):
    pages = facebook_pages(folder("facebook_pages"))
    assert (pages.num_nodes, pages.num_features) == (22_470, 4_714)
    assert tuple(pages.edge_index.shape) == (2, 2 * 170_823)
    counts = dict(zip(pages.class_names, np.bincount(pages.y.numpy()).tolist(), strict=True))
    assert counts == {"company": 6495, "government": 6880, "politician": 5768, "tvshow": 3327}
