"""What the driver needs around the library: a real server, phones, a trace."""

import csv
import ctypes
import dataclasses
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time
import zlib

import gridwalk

ROOT = pathlib.Path(__file__).resolve().parents[3]
GRIDS = ROOT / "tests/bindings/grids.geojson"
TRACE = ROOT / "tests/fixtures/tracks/phone_304_to_ul_2019_02_18_0745.csv"
SERVER = os.environ.get("GRIDWALK_SERVER", str(ROOT / "target/debug/gridwalk-server"))
GRID = "990001001001001"


class Server:
    """The real server, on a port of its own."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.listen = "127.0.0.1:0"
        self.workers = 0
        self.process = None
        self._verb("import", str(GRIDS), "--crs", "wgs84")
        self.start()

    def start(self) -> None:
        command = [SERVER, "serve", "--data", str(self.folder), "--listen", self.listen]
        self.log = open(self.folder.parent / f"{self.folder.name}.log", "a")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            found = re.search(r"http://([\d.]+:\d+)", line)
            if found:
                # The same port again after a stop: the phones know this address.
                self.listen = found[1]
                self.url = found[0]
                return
        raise RuntimeError(f"the server ended with {self.process.wait()}; see {self.log.name}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
            self.process.stdout.close()
            self.log.close()

    def invitation(self) -> str:
        """A one-time code for a worker who is new."""
        self.workers += 1
        out = self._verb("enrol", "--url", self.url, "--grid", GRID, f"测试网格员{self.workers}")
        return re.search(r"gridwalk://enrol\?\S+", out)[0]

    def holdings(self) -> dict:
        """What the server itself says that it holds."""
        return json.loads(self._verb("holdings"))

    def _verb(self, verb: str, *arguments: str) -> str:
        command = [SERVER, verb, "--data", str(self.folder), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout


@dataclasses.dataclass
class Phone:
    """A phone's folder and key; what is in memory comes and goes."""

    folder: pathlib.Path
    key: bytes = dataclasses.field(default_factory=lambda: os.urandom(32))

    def options(self, key: bytes = None) -> gridwalk.OpenOptions:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = str(self.folder / "phone.db")
        return gridwalk.OpenOptions(path=path, key=key or self.key, platform="terminal", app="0.0.0")

    def open(self) -> gridwalk.Engine:
        return gridwalk.Engine.open(self.options())


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def trace(first: int, last: int, *, starts_ms: int = None, ends_ms: int = None) -> list:
    """Fixes of a real trace, moved in time alone."""
    number = lambda text: float(text) if text else None
    with open(TRACE) as file:
        rows = list(csv.DictReader(file))[first:last]
    times = [int(row["t_ms"]) for row in rows]
    shift = starts_ms - times[0] if starts_ms is not None else ends_ms - times[-1]
    return [
        gridwalk.Fix(
            time_ms=time_ms + shift,
            lat=float(row["lat"]),
            lon=float(row["lon"]),
            accuracy_m=number(row["acc"]),
            altitude_m=number(row["alt"]),
            speed_mps=number(row["speed"]),
            bearing_deg=number(row["bearing"]),
            mocked=False,
        )
        for time_ms, row in zip(times, rows)
    ]


def photo(kilobytes: int) -> gridwalk.NewPhoto:
    """A PNG of noise, about this large."""
    side = 256
    rows = kilobytes * 1024 // side
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    pixels = b"".join(b"\0" + os.urandom(side) for _ in range(rows))
    header = struct.pack(">IIBBBBB", side, rows, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels, 0)) + chunk(b"IEND", b"")
    return gridwalk.NewPhoto(bytes=png, mime="image/png")


def incident(title: str, *photos: gridwalk.NewPhoto) -> gridwalk.NewIncident:
    return gridwalk.NewIncident(
        category="fire_safety",
        severity=None,
        title=title,
        description="三楼楼道堆放杂物，已拍照",
        place=gridwalk.Place(lat=52.6291, lon=-8.6617, accuracy_m=8.0),
        photos=list(photos),
    )


class _MallocInfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def allocated_kb() -> int:
    """What malloc has given and not got back, in this process.

    Resident memory would not do: a leak first fills the pages that earlier work
    left behind.
    """
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _MallocInfo
    info = libc.mallinfo2()
    return (info.uordblks + info.hblkhd) // 1024


def resident_kb() -> int:
    """Memory of this process that is in RAM."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
