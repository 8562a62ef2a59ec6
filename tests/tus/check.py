"""Attachments, sent to a running server by clients that are not ours.

Run it with tests/tus/run. tuspy is driven from here, tus-js-client by node
(uploads.mjs). The phone that sends them enrols by plain HTTP, as
tests/conformance does.
"""

import json
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "conformance"))

from client import Phone, sha256  # noqa: E402
from server import Server  # noqa: E402
from tusclient.client import TusClient  # noqa: E402
from tusclient.exceptions import TusUploadFailed  # noqa: E402
from tusclient.storage.filestorage import FileStorage  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory(prefix="gridwalk-tus-")
FOLDER = pathlib.Path(SCRATCH.name)
SERVER = Server(FOLDER / "server")
PIECE = 128 * 1024


class Tus(unittest.TestCase):
    def setUp(self):
        self.phone = Phone(SERVER.invitation())
        self.assertEqual(self.phone.enrol().status, 200)
        self.phone.hello()

    def file(self, length: int = 1_000_003) -> pathlib.Path:
        path = FOLDER / secrets.token_hex(8)
        path.write_bytes(secrets.token_bytes(length))
        return path

    def arrived(self, path: pathlib.Path) -> None:
        """A record shows the file, and what the server gives back is the file."""
        content = path.read_bytes()
        made, incident = self.phone.incident()
        photo = {"sha256": sha256(content), "mime": "image/jpeg", "bytes": len(content)}
        shown = self.phone.op(incident, "incident", {"append": {"list": "photos", "value": photo}})
        self.phone.push(made, shown)
        answer = self.phone.ask("GET", f"/v1/blobs/{sha256(content)}")
        self.assertEqual((answer.status, sha256(answer.body)), (200, sha256(content)))


class Tuspy(Tus):
    def uploader(self, path: pathlib.Path, **more):
        client = TusClient(f"{SERVER.url}/v1/blobs", headers={"Authorization": f"Bearer {self.phone.token}"})
        metadata = more.pop("metadata", {"sha256": sha256(path.read_bytes())})
        return client.uploader(str(path), chunk_size=PIECE, metadata=metadata, **more)

    def test_an_upload_that_was_stopped_goes_on_in_another_process_life(self):
        path, store = self.file(), FOLDER / "tuspy.json"
        first = self.uploader(path, store_url=True, url_storage=FileStorage(str(store)))
        first.upload(stop_at=3 * PIECE)
        second = self.uploader(path, store_url=True, url_storage=FileStorage(str(store)))
        self.assertEqual((second.url, second.offset), (first.url, 3 * PIECE))
        second.upload()
        self.arrived(path)

    def test_an_upload_whose_line_broke_within_a_piece_goes_on_by_the_byte(self):
        path = self.file()
        first = self.uploader(path)
        first.upload(stop_at=PIECE)
        self.cut(first.url, path.read_bytes()[PIECE : PIECE + 50_000], length=100_000)
        second = self.uploader(path, url=first.url)
        self.assertEqual(second.offset, PIECE + 50_000)
        second.upload()
        self.arrived(path)

    def test_an_upload_goes_on_after_the_server_was_started_again(self):
        path = self.file()
        first = self.uploader(path)
        first.upload(stop_at=2 * PIECE)
        SERVER.stop()
        SERVER.start()
        second = self.uploader(path, url=first.url)
        self.assertEqual(second.offset, 2 * PIECE)
        second.upload()
        self.arrived(path)

    def test_pieces_with_checksums(self):
        path = self.file()
        first = self.uploader(path, upload_checksum=True)
        first.upload(stop_at=2 * PIECE)
        self.uploader(path, upload_checksum=True, url=first.url).upload()
        self.arrived(path)

    def test_content_that_is_here_is_not_sent_again(self):
        path = self.file()
        self.uploader(path).upload()
        again = self.uploader(path, retries=1, retry_delay=0)
        again.upload()
        self.assertEqual(again.offset, path.stat().st_size)
        self.arrived(path)

    def test_a_piece_with_a_wrong_checksum_is_sent_again(self):
        path = self.file()
        uploader = self.uploader(path, upload_checksum=True)
        uploader.upload(stop_at=PIECE)
        # The next piece is hashed wrong, as if the line had bent it.
        right = uploader.checksum_algorithm
        uploader._BaseUploader__checksum_algorithm = lambda piece: right(piece + b"!")
        with self.assertRaises(TusUploadFailed) as failed:
            uploader.upload_chunk()
        self.assertEqual(failed.exception.status_code, 460)
        uploader._BaseUploader__checksum_algorithm = right
        self.assertEqual(uploader.get_offset(), PIECE)
        uploader.upload()
        self.arrived(path)

    def test_other_content_than_announced_is_refused(self):
        path = self.file(5_000)
        with self.assertRaises(TusUploadFailed) as failed:
            self.uploader(path, metadata={"sha256": "0" * 64}).upload()
        self.assertEqual(failed.exception.status_code, 460)

    def cut(self, url: str, sent: bytes, length: int) -> None:
        """A PATCH whose line breaks before all of its body was sent."""
        where = urllib.parse.urlsplit(url)
        offset = self.phone.tus("HEAD", where.path).headers["upload-offset"]
        head = (
            f"PATCH {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nTus-Resumable: 1.0.0\r\n"
            f"Authorization: Bearer {self.phone.token}\r\nUpload-Offset: {offset}\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n"
        )
        with socket.create_connection((where.hostname, where.port)) as line:
            line.sendall(head.encode() + sent)
            line.shutdown(socket.SHUT_WR)
            # The server closes when it has dealt with the cut.
            while line.recv(4096):
                pass


class TusJsClient(Tus):
    def scene(self, name: str, path: pathlib.Path, ends: int = 0) -> None:
        told = {"url": SERVER.url, "token": self.phone.token, "file": str(path)}
        done = subprocess.run(
            ["node", str(HERE / "uploads.mjs"), name], input=json.dumps(told), capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, ends, done.stdout + done.stderr)

    def test_an_upload_that_was_aborted_goes_on(self):
        path = self.file()
        self.scene("aborted", path)
        self.arrived(path)

    def test_a_process_that_was_killed_goes_on_in_another(self):
        path = self.file()
        self.scene("left", path, ends=-signal.SIGKILL)
        self.scene("found", path)
        self.arrived(path)

    def test_content_that_is_here_is_not_sent_again(self):
        path = self.file()
        self.scene("sent", path)
        self.scene("known", path)
        self.arrived(path)

    def test_other_content_than_announced_is_refused(self):
        self.scene("other", self.file(5_000))

    def test_a_proxy_that_lets_no_patch_through(self):
        path = self.file()
        self.scene("overridden", path)
        self.arrived(path)

    def test_a_stranger_sends_nothing(self):
        self.scene("stranger", self.file(5_000))


if __name__ == "__main__":
    names = sys.argv[1:] or ["Tuspy", "TusJsClient"]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names, sys.modules[__name__])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    passed = result.testsRun - len(result.failures) - len(result.errors)
    SERVER.stop()
    SCRATCH.cleanup()
    print(f"tus: {passed} passed", flush=True)
    sys.exit(0 if result.wasSuccessful() and passed else 1)
