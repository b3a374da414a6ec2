"""Small sound pictures of every format that is read, made in memory."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from fuzz_damage import SIDES
from PIL import Image, ImageCms, features

try:
    import pillow_heif
except ModuleNotFoundError:
    pillow_heif = None

_WIDTH, _HEIGHT = SIDES


def picture_files() -> dict[str, bytes]:
    """Return sound picture files by a name that says what is in them."""
    makers: tuple[Callable[[], Iterator[tuple[str, bytes]]], ...] = (
        *(_png, _jpeg, _gif, _bmp, _tga, _ppm, _ico, _tiff, _built_tiff),
        *(_webp, _avif, _jpeg2000, _heif),
    )
    made = (each for maker in makers for each in maker())
    return {name: data for name, data in made if data}


def photo(mode: str) -> Image.Image:
    """Return a small picture with edges and gradients, of a mode."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    red, green = 255 * x / (_WIDTH - 1), 255 * y / (_HEIGHT - 1)
    blue, alpha = (x // 5 + y // 5) % 2 * 200, np.minimum(255, 8 * x)
    pixels = np.stack([red, green, blue, alpha], 2).astype(np.uint8)
    rgba = Image.fromarray(pixels)
    if mode == "I;16":
        return Image.fromarray((red * 257).astype(np.uint16))
    if mode == "F":
        return Image.fromarray((red / 255).astype(np.float32))
    if mode == "RGBA":
        return rgba
    if mode == "LA":
        return rgba.convert("LA")
    return rgba.convert("RGB").convert(mode)


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Return a file; nothing where this Pillow does not write such ones."""
    data = io.BytesIO()
    try:
        picture.save(data, kind, **options)
    except (KeyError, OSError, ValueError):
        return b""
    return data.getvalue()


def _frames(mode: str = "RGB") -> list[Image.Image]:
    first = photo(mode)
    return [first, first.rotate(180), first.rotate(90)]


def _profile() -> bytes:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return srgb.tobytes()


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a picture"
    return exif


def _png() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield f"png {mode}", _saved(photo(mode), "PNG")
    with_all = {"icc_profile": _profile(), "exif": _turned()}
    yield "png with all", _saved(photo("RGB"), "PNG", **with_all)
    yield "png transparent", _saved(photo("P"), "PNG", transparency=3)
    colors = bytes(range(256))
    yield "png palette alpha", _saved(photo("P"), "PNG", transparency=colors)
    yield (
        "png color key",
        _saved(photo("RGB"), "PNG", transparency=(0, 0, 0)),
    )
    rest = _frames()[1:]
    yield (
        "png animated",
        _saved(photo("RGB"), "PNG", save_all=True, append_images=rest),
    )
    # bits, color type, bytes of a pixel or pixels of a byte: none by Pillow
    for depth, color, samples in (
        *((2, 0, 1), (4, 0, 1), (16, 2, 3), (16, 4, 2), (16, 6, 4)),
        *((8, 0, 1), (8, 2, 3), (8, 6, 4)),
    ):
        for interlaced in (0, 1):
            name = f"png {depth} bit type {color} interlace {interlaced}"
            yield name, _built_png(depth, color, samples, interlaced)


# where each of the seven passes begins, and its steps: x, y, x, y
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def _built_png(depth: int, color: int, samples: int, interlaced: int) -> bytes:
    """Build a PNG of random samples, whole or in seven passes."""
    rng = np.random.default_rng(depth + color)
    raw = b""
    for x, y, step_x, step_y in _PASSES if interlaced else ((0, 0, 1, 1),):
        width = len(range(x, _WIDTH, step_x))
        height = len(range(y, _HEIGHT, step_y))
        row = (width * samples * depth + 7) // 8
        for _ in range(height if width else 0):
            raw += bytes([rng.integers(0, 5)]) + rng.bytes(row)
    header = struct.pack(
        ">IIBBBBB", _WIDTH, _HEIGHT, depth, color, 0, 0, interlaced
    )
    parts = (
        (b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def _jpeg() -> Iterator[tuple[str, bytes]]:
    for mode in ("L", "RGB", "CMYK", "YCbCr"):
        for progressive in (False, True):
            options = {"progressive": progressive, "quality": 60}
            name = f"jpeg {mode} progressive {progressive}"
            yield name, _saved(photo(mode), "JPEG", **options)
    rgb = photo("RGB")
    yield "jpeg 4:4:4", _saved(rgb, "JPEG", subsampling=0)
    yield "jpeg restarts", _saved(rgb, "JPEG", restart_marker_blocks=2)
    with_all = {"icc_profile": _profile(), "exif": _turned(), "dpi": (72, 72)}
    yield "jpeg with all", _saved(rgb, "JPEG", comment=b"words", **with_all)


def _gif() -> Iterator[tuple[str, bytes]]:
    yield "gif", _saved(photo("P"), "GIF")
    yield "gif interlaced", _saved(photo("L"), "GIF", interlace=1)
    yield "gif transparent", _saved(photo("P"), "GIF", transparency=5)
    for disposal in (1, 2, 3):
        options = {"disposal": disposal, "duration": 50, "loop": 0}
        rest = _frames()[1:]
        yield (
            f"gif animated {disposal}",
            _saved(
                photo("RGB"),
                "GIF",
                save_all=True,
                append_images=rest,
                **options,
            ),
        )


def _bmp() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"bmp {mode}", _saved(photo(mode), "BMP")
    row = bytes([_WIDTH, 7, 0, 0])
    body = row * _HEIGHT + b"\0\1"
    colors = bytes(range(256)) * 4
    start = 54 + len(colors)
    sizes = (40, _WIDTH, _HEIGHT, 1, 8, 1, len(body), 2835, 2835, 256, 0)
    header = struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start)
    header += struct.pack("<IiiHHIIiiII", *sizes)
    yield "bmp run lengths", header + colors + body


def _tga() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield f"tga {mode}", _saved(photo(mode), "TGA")
        if mode != "1":
            name = f"tga {mode} run lengths"
            yield name, _saved(photo(mode), "TGA", compression="tga_rle")


def _ppm() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "RGB", "I;16", "F"):
        yield f"ppm {mode}", _saved(photo(mode), "PPM")
    digits = " ".join(str(7 * n % 256) for n in range(3 * _WIDTH * _HEIGHT))
    plain = f"P3\n# a remark\n{_WIDTH} {_HEIGHT}\n255\n{digits}\n"
    yield "ppm plain", plain.encode()
    bits = "10" * (_WIDTH * _HEIGHT)
    yield "pbm plain", f"P1 {_WIDTH} {_HEIGHT} {bits}".encode()


def _ico() -> Iterator[tuple[str, bytes]]:
    sizes = [(16, 16), SIDES]
    for kind in ("bmp", "png"):
        options = {"sizes": sizes, "bitmap_format": kind}
        yield f"ico {kind}", _saved(photo("RGBA"), "ICO", **options)


def _tiff() -> Iterator[tuple[str, bytes]]:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F")
    for mode in modes:
        yield f"tiff {mode}", _saved(photo(mode), "TIFF")
        for packing in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
            data = _saved(photo(mode), "TIFF", compression=packing)
            yield f"tiff {mode} {packing}", data
    # none that a libtiff may lack: Pillow's writer does not always survive it
    for packing, mode in (
        *(("group4", "1"), ("group3", "1"), ("jpeg", "RGB"), ("jpeg", "L")),
        *(("lzma", "RGB"), ("tiff_lzw", "YCbCr")),
    ):
        data = _saved(photo(mode), "TIFF", compression=packing)
        yield f"tiff {mode} {packing}", data
    options = {"icc_profile": _profile(), "exif": _turned(), "big_tiff": True}
    yield "tiff with all", _saved(photo("RGB"), "TIFF", **options)
    rest = _frames()[1:]
    yield (
        "tiff pages",
        _saved(photo("RGB"), "TIFF", save_all=True, append_images=rest),
    )


def _built_tiff() -> Iterator[tuple[str, bytes]]:
    """Yield TIFF files of kinds that Pillow reads and does not write."""
    rng = np.random.default_rng(0)
    for order in "<>":
        for packing in (1, 8):
            tile = rng.bytes(16 * 16 * 3)
            packed = zlib.compress(tile) if packing == 8 else tile
            count = -(-_WIDTH // 16) * -(-_HEIGHT // 16)
            tags = {322: 16, 323: 16, 258: (8, 8, 8), 262: 2, 277: 3}
            yield (
                f"tiff tiles {order} {packing}",
                _assembled(
                    order,
                    {**tags, 259: packing},
                    [packed] * count,
                    (324, 325),
                ),
            )
        strip = rng.bytes(_WIDTH * 6)
        tags = {258: (16, 16, 16), 262: 2, 277: 3, 259: 8, 278: 1}
        strips = [zlib.compress(strip)] * _HEIGHT
        yield (
            f"tiff 16 bit strips {order}",
            _assembled(order, tags, strips, (273, 279)),
        )
        planes = [zlib.compress(rng.bytes(_WIDTH * _HEIGHT))] * 3
        tags = {258: (8, 8, 8), 262: 2, 277: 3, 259: 8, 284: 2, 278: _HEIGHT}
        yield (
            f"tiff planes {order}",
            _assembled(order, tags, planes, (273, 279)),
        )


def _assembled(
    order: str,
    tags: Mapping[int, int | tuple[int, ...]],
    parts: list[bytes],
    names: tuple[int, int],
) -> bytes:
    """Build a TIFF file.

    Args:
        order: "<" or ">", of bytes.
        tags: those beside the sizes.
        parts: strips or tiles.
        names: of the tags with the places and lengths of these.
    """
    body, places = b"", []
    for part in parts:
        places.append(8 + len(body))
        body += part + b"\0" * (len(part) % 2)
    entries: dict[int, int | tuple[int, ...]] = {
        256: _WIDTH,
        257: _HEIGHT,
        **tags,
        names[0]: tuple(places),
        names[1]: tuple(map(len, parts)),
    }
    rows = b""
    for tag, value in sorted(entries.items()):
        numbers = value if isinstance(value, tuple) else (value,)
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > 4:
            place = 8 + len(body)
            body += packed
            packed = struct.pack(f"{order}I", place)
        rows += struct.pack(f"{order}HHI", tag, 4, len(numbers)) + packed
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    header = mark + struct.pack(f"{order}I", 8 + len(body))
    directory = struct.pack(f"{order}H", len(entries)) + rows + b"\0" * 4
    return header + body + directory


def _webp() -> Iterator[tuple[str, bytes]]:
    if not features.check("webp"):
        return
    for mode in ("RGB", "RGBA"):
        for lossless in (False, True):
            name = f"webp {mode} lossless {lossless}"
            yield name, _saved(photo(mode), "WEBP", lossless=lossless)
    with_all = {"icc_profile": _profile(), "exif": _turned()}
    yield "webp with all", _saved(photo("RGB"), "WEBP", **with_all)
    frames = {"save_all": True, "append_images": _frames()[1:]}
    yield "webp animated", _saved(photo("RGB"), "WEBP", **frames)


def _avif() -> Iterator[tuple[str, bytes]]:
    if "AVIF" not in Image.OPEN or not features.check("avif"):
        return
    for mode in ("L", "RGB", "RGBA"):
        yield f"avif {mode}", _saved(photo(mode), "AVIF", speed=10)
    with_all = {"icc_profile": _profile(), "exif": _turned(), "speed": 10}
    yield "avif with all", _saved(photo("RGB"), "AVIF", **with_all)
    frames = {"save_all": True, "append_images": _frames()[1:], "speed": 10}
    yield "avif animated", _saved(photo("RGB"), "AVIF", **frames)


def _jpeg2000() -> Iterator[tuple[str, bytes]]:
    if not features.check("jpg_2000"):
        return
    for mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        yield f"jpeg2000 {mode}", _saved(photo(mode), "JPEG2000")
    lossy = {"irreversible": True, "quality_layers": [40, 20]}
    yield "jpeg2000 lossy", _saved(photo("RGB"), "JPEG2000", **lossy)
    tiles = {"tile_size": (16, 16)}
    yield "jpeg2000 tiles", _saved(photo("RGB"), "JPEG2000", **tiles)
    yield "jpeg2000 bare", _saved(photo("RGB"), "JPEG2000", no_jp2=True)


def _heif() -> Iterator[tuple[str, bytes]]:
    if pillow_heif is None:
        return
    for mode in ("L", "RGB", "RGBA"):
        data = io.BytesIO()
        file = pillow_heif.from_pillow(photo(mode))
        file.save(data, quality=50)
        yield f"heif {mode}", data.getvalue()
    data = io.BytesIO()
    file = pillow_heif.from_pillow(photo("RGB"))
    file.save(
        data, quality=50, icc_profile=_profile(), exif=_turned().tobytes()
    )
    yield "heif with all", data.getvalue()
