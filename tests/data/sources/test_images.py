"""The images source: folders of classes, tables of paths, and files as cameras and programs leave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dlcli.data.sources.images import Images
from dlcli.events import Progress
from dlcli.problems import DataError, Problem
from dlcli.samples import Found
from dlcli.storage import InMemory

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def save(path: Path, mode: str = "RGB", size: tuple[int, int] = (6, 4), color: Any = RED, **more: Any) -> Path:
    """An image of one colour; `size` is width and height, as pillow has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **more)
    return path


def read(path: Path | str, **fields: Any) -> Found:
    return Images(path=str(path), **fields).read()


def pixels(found: Found) -> np.ndarray:
    return np.asarray(found.samples["image"])


def problem_of(source: Images) -> Problem:
    with pytest.raises(DataError) as raised:
        source.read()
    (problem,) = raised.value.problems
    assert problem.suggestion
    return problem


class TestPlaces:
    def test_a_folder_per_class_is_the_label(self, tmp_path: Path) -> None:
        for name in ("dog/b.png", "dog/more/a.png", "cat/c.PNG"):
            save(tmp_path / name)
        found = read(tmp_path)
        assert list(found.samples["label"].texts()) == ["cat", "dog", "dog"]
        assert pixels(found).shape == (3, 4, 6, 3)
        assert (found.target, found.inputs, found.subsets) == (("label",), ("image",), None)
        assert [Path(name).name for name in found.row_names] == ["c.PNG", "b.png", "a.png"]

    @pytest.mark.parametrize("validation", ["validation", "valid", "val"])
    def test_folders_of_subsets_above_the_classes(self, tmp_path: Path, validation: str) -> None:
        for number, place in enumerate(("train/cat", "train/dog", f"{validation}/dog", "test/cat")):
            save(tmp_path / place / "x.png", "L", color=number)
        found = read(tmp_path)
        assert found.subsets is not None
        assert {name: rows.tolist() for name, rows in found.subsets.items()} == {
            "train": [0, 1],
            "validation": [2],
            "test": [3],
        }
        assert pixels(found)[:, 0, 0, 0].tolist() == [0, 1, 2, 3]

    def test_a_class_may_be_called_train(self, tmp_path: Path) -> None:
        save(tmp_path / "train/x.png")
        save(tmp_path / "bus/x.png")
        assert list(read(tmp_path).samples["label"].texts()) == ["bus", "train"]

    def test_subsets_beside_other_folders_are_a_problem(self, tmp_path: Path) -> None:
        save(tmp_path / "train/cat/x.png")
        save(tmp_path / "extra/cat/x.png")
        assert problem_of(Images(path=str(tmp_path))).code == "unknown-subset"

    def test_what_is_no_image_is_passed_over_and_said(self, tmp_path: Path) -> None:
        save(tmp_path / "cat/x.png")
        save(tmp_path / "loose.png")
        save(tmp_path / "cat/.thumbnail.png")
        (tmp_path / "cat/Thumbs.db").write_text("")
        (tmp_path / "cat/notes.txt").write_text("")
        (tmp_path / "dog").mkdir()
        found = read(tmp_path)
        assert found.samples.rows == 1
        assert found.notes[0] == "left out: 1 files that are no images"
        assert "1 images that lie in" in found.notes[1]
        assert found.notes[2] == "no image in dog"

    def test_images_without_folders_of_classes_say_what_to_do(self, tmp_path: Path) -> None:
        save(tmp_path / "x.png")
        assert problem_of(Images(path=str(tmp_path))).code == "no-classes"

    def test_an_empty_an_absent_and_a_wrong_folder(self, tmp_path: Path) -> None:
        file = save(tmp_path / "photos/cat/x.png")
        (tmp_path / "empty").mkdir()
        assert problem_of(Images(path=str(tmp_path / "empty"))).code == "no-rows"
        assert problem_of(Images(path=str(tmp_path / "photo"))).suggestion == f"did you mean {tmp_path / 'photos'}?"
        assert problem_of(Images(path=str(file))).code == "not-a-folder"


class TestTables:
    def table(self, folder: Path, text: str) -> str:
        for number in range(3):
            save(folder / f"images/{number}.png", "L", color=number)
        (folder / "table.csv").write_text(text)
        return str(folder / "table.csv")

    def test_a_table_names_images_from_its_own_folder(self, tmp_path: Path) -> None:
        path = self.table(tmp_path, "file,age,label\nimages/2.png,7,b\nimages/0.png,8,a\nimages/2.png,9,b\n")
        found = Images(table=path, column="file").read()
        assert pixels(found)[:, 0, 0, 0].tolist() == [2, 0, 2]
        assert list(found.samples) == ["image", "age", "label"]
        assert (found.target, found.inputs) == (("label",), ("image",))

    def test_a_path_beside_a_table_is_where_its_paths_start(self, tmp_path: Path) -> None:
        path = self.table(tmp_path, "image,kind\n1.png,b\n0.png,a\n")
        found = Images(path=str(tmp_path / "images"), table=path, column="image").read()
        assert pixels(found)[:, 0, 0, 0].tolist() == [1, 0]
        assert found.target == ()

    def test_absent_images_are_counted_in_one_problem(self, tmp_path: Path) -> None:
        problem = problem_of(Images(table=self.table(tmp_path, "file,k\nimages/0.png,1\nx.png,2\n"), column="file"))
        assert problem.message == f"1 of 2 images are not there: {tmp_path / 'x.png'}"

    def test_rows_without_a_path_and_a_column_that_is_not_there(self, tmp_path: Path) -> None:
        path = self.table(tmp_path, "file,k\nimages/0.png,1\n,2\n")
        assert "1 rows" in problem_of(Images(table=path, column="file")).message
        assert problem_of(Images(table=path, column="files")).suggestion == "its columns: file, k"

    @pytest.mark.parametrize("fields", [{}, {"table": "t.csv"}, {"path": "p", "column": "c"}])
    def test_says_what_it_needs(self, fields: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="needs"):
            Images(**fields)


class TestPixels:
    def test_grey_files_have_one_channel_and_a_colour_among_them_makes_three(self, tmp_path: Path) -> None:
        save(tmp_path / "a/1.png", "L", color=7)
        save(tmp_path / "a/2.png", "1", color=1)
        assert pixels(read(tmp_path))[:, 0, 0].tolist() == [[7], [255]]
        save(tmp_path / "a/3.png")
        found = read(tmp_path)
        assert pixels(found)[:, 0, 0].tolist() == [[7, 7, 7], [255, 255, 255], [255, 0, 0]]
        assert found.settings == {"size": (4, 6), "channels": 3}

    def test_channels_may_be_written(self, tmp_path: Path) -> None:
        save(tmp_path / "a/1.png", color=(100, 100, 100))
        assert pixels(read(tmp_path, channels=1))[0, 0, 0].tolist() == [100]
        assert pixels(read(tmp_path, channels=4))[0, 0, 0].tolist() == [100, 100, 100, 255]

    def test_test_files_do_not_decide_the_channels(self, tmp_path: Path) -> None:
        save(tmp_path / "train/a/1.png", "L", color=7)
        save(tmp_path / "test/a/1.png")
        assert pixels(read(tmp_path)).shape[-1] == 1

    def test_palettes_are_their_colours(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        Image.new("RGB", (6, 4), GREEN).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "a/1.gif")
        assert pixels(read(tmp_path))[0, 0, 0].tolist() == list(GREEN)

    @pytest.mark.parametrize(("mode", "color"), [("RGBA", (255, 0, 0, 0)), ("LA", (0, 0))])
    def test_what_is_transparent_is_white(self, tmp_path: Path, mode: str, color: tuple[int, ...]) -> None:
        save(tmp_path / "a/1.png", mode, color=color)
        found = read(tmp_path, channels=3)
        assert pixels(found)[0, 0, 0].tolist() == list(WHITE)
        assert found.notes == ("1 image with transparent parts are laid on white",)

    def test_a_transparent_colour_of_a_palette_is_white(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        Image.new("P", (6, 4), 0).save(tmp_path / "a/1.png", transparency=0)
        assert pixels(read(tmp_path))[0, 0, 0].tolist() == list(WHITE)

    def test_a_photo_stands_upright(self, tmp_path: Path) -> None:
        lying = Image.new("RGB", (40, 20), WHITE)
        lying.paste(RED, (0, 0, 20, 20))
        (tmp_path / "a").mkdir()
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was held upright: turn right by 90 degrees
        lying.save(tmp_path / "a/1.jpg", exif=exif, quality=100)
        image = pixels(read(tmp_path))[0]
        assert image.shape == (40, 20, 3)
        assert (np.abs(image[:15].astype(int) - RED) < 10).all()
        assert (image[25:] > 245).all()

    def test_sixteen_bits_become_eight(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        Image.fromarray(np.array([[0, 257, 65535]], dtype=np.uint16)).save(tmp_path / "a/1.png")
        found = read(tmp_path)
        assert pixels(found)[0, 0, :, 0].tolist() == [0, 1, 255]
        assert found.notes == ("1 image of 16 bits are read as 8 bits",)

    def test_print_colours_are_screen_colours(self, tmp_path: Path) -> None:
        save(tmp_path / "a/1.tif", "CMYK", color=(0, 255, 255, 0))
        assert pixels(read(tmp_path))[0, 0, 0].tolist() == list(RED)

    def test_fractions_are_a_problem_that_says_why(self, tmp_path: Path) -> None:
        save(tmp_path / "a/1.tif", "F", color=0.5)
        assert "nothing says what is white" in problem_of(Images(path=str(tmp_path))).message


class TestSizes:
    def test_files_that_differ_ask_for_a_size(self, tmp_path: Path) -> None:
        save(tmp_path / "a/small.png", size=(6, 4))
        save(tmp_path / "a/large.png", size=(60, 40))
        problem = problem_of(Images(path=str(tmp_path)))
        assert "from 4 x 6 (small.png) to 40 x 60 (large.png)" in problem.message
        assert "`size: [96, 96]`" in problem.suggestion

    @pytest.mark.parametrize(
        ("fit", "row"),
        [
            ("stretch", [0, 0, 255, 255]),
            ("pad", [0, 0, 0, 0]),
            ("crop", [0, 0, 255, 255]),
        ],
    )
    def test_the_ways_to_a_size(self, tmp_path: Path, fit: str, row: list[int]) -> None:
        wide = np.zeros((8, 32), dtype=np.uint8)
        wide[:, 16:] = 255
        (tmp_path / "a").mkdir()
        Image.fromarray(wide).save(tmp_path / "a/1.png")
        found = read(tmp_path, size=(4, 4), resize=fit)
        image = pixels(found)[0, :, :, 0]
        assert image.shape == (4, 4)
        assert np.abs(image[0].astype(int) - row).max() <= 64
        assert (np.abs(image[2].astype(int) - [0, 0, 255, 255]) <= 64).all()
        assert "1 image of another size are brought to 4 x 4" in found.notes[0]


class TestBroken:
    def test_every_broken_file_is_named_at_once(self, tmp_path: Path) -> None:
        good = save(tmp_path / "a/good.jpg", size=(64, 64)).read_bytes()
        (tmp_path / "a/cut.jpg").write_bytes(good[: len(good) - 40])
        (tmp_path / "a/empty.png").write_bytes(b"")
        (tmp_path / "a/page.png").write_text("<html>not found</html>")
        problem = problem_of(Images(path=str(tmp_path)))
        assert problem.code == "damaged-file"
        assert problem.message.startswith("3 of 4 images cannot be read: ")
        for words in ("cut.jpg (image file is truncated", "empty.png (an empty file)", "page.png (no image"):
            assert words in problem.message

    def test_many_are_counted(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        for number in range(8):
            (tmp_path / f"a/{number}.png").write_bytes(b"x")
        assert problem_of(Images(path=str(tmp_path), size=(2, 2), channels=1)).message.endswith("; and 3 more")


def test_says_how_far_it_is(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"a/{number}.png")
    heard: list[Any] = []
    Images(path=str(tmp_path), size=(2, 2), channels=1).read_into(InMemory(), heard.append)
    assert heard[-1] == Progress("images read", 3, 3)


class TestNewFiles:
    def test_a_folder_without_classes_an_image_a_list_a_glob(self, tmp_path: Path) -> None:
        source = Images(path="anywhere", size=(4, 6), channels=1)
        for number in range(3):
            save(tmp_path / f"new/{number}.png", "L", color=number)
        (tmp_path / "list.txt").write_text("new/2.png\nnew/0.png\n")
        for path, rows in {"new": [0, 1, 2], "new/1.png": [1], "list.txt": [2, 0], "new/[01].png": [0, 1]}.items():
            found = source.other_file(str(tmp_path / path)).read()
            assert pixels(found)[:, 0, 0, 0].tolist() == rows
            assert "label" not in found.samples

    def test_a_folder_of_classes_has_labels(self, tmp_path: Path) -> None:
        save(tmp_path / "cat/1.png")
        found = Images(path="anywhere", size=(2, 2), channels=3).other_file(str(tmp_path)).read()
        assert list(found.samples["label"].texts()) == ["cat"]

    def test_another_table_is_read_as_the_runs_was(self, tmp_path: Path) -> None:
        save(tmp_path / "1.png")
        (tmp_path / "new.csv").write_text("file\n1.png\n")
        source = Images(table="old.csv", column="file", size=(2, 2), channels=3)
        assert source.other_file(str(tmp_path / "new.csv")).read().samples.rows == 1


def test_real_photographs(shared_data: Path) -> None:
    found = read(shared_data / "images" / "sign-digits")
    assert pixels(found).shape == (400, 100, 100, 3)
    assert np.unique(found.samples["label"].codes, return_counts=True)[1].tolist() == [40] * 10
    assert found.notes == ()
