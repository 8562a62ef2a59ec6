"""A real server on a folder of its own, worked by its verbs alone."""

import os
import pathlib
import re
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("GRIDWALK_SERVER", str(ROOT / "target/debug/gridwalk-server"))
GRIDS = ROOT / "tests/bindings/grids.geojson"
GRID = "990001001001001"
OTHER_GRID = "990001001001002"


class Server:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.listen = "127.0.0.1:0"
        self.workers = 0
        self.verb("import", str(GRIDS), "--crs", "wgs84")
        self.start()

    def start(self) -> None:
        command = [PROGRAM, "serve", "--data", str(self.folder), "--listen", self.listen]
        self.log = open(f"{self.folder}.log", "a")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            found = re.search(r"http://([\d.]+:\d+)", line)
            if found:
                self.listen, self.url = found[1], found[0]
                return
        raise RuntimeError(f"the server ended with {self.process.wait()}; see {self.log.name}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def invitation(self, grid: str = GRID, worker: str = None) -> str:
        if worker is None:
            self.workers += 1
            worker = f"测试网格员{self.workers}"
        out = self.verb("enrol", "--url", self.url, "--grid", grid, worker)
        return re.search(r"gridwalk://enrol\?\S+", out)[0]

    def verb(self, verb: str, *arguments: str) -> str:
        command = [PROGRAM, verb, "--data", str(self.folder), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{verb}: {done.stderr}")
        return done.stdout
