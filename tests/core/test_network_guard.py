"""The guard against connections, in a process of its own: an audit hook cannot be removed."""

import subprocess
import sys
import textwrap

import pytest

from edge_slm.offline import is_loopback

# 192.0.2.0/24 and 2001:db8::/32 are for documentation (RFC 5737, RFC 3849); the guard is on
# whenever they are named, so that nothing is sent.
_START = """
import os, socket
from edge_slm.errors import EdgeSlmError
from edge_slm.offline import SWITCHES, NetworkForbidden, forbid_network, network_allowed

def stopped(call, *arguments):
    try:
        call(*arguments)
    except NetworkForbidden as error:
        assert isinstance(error, EdgeSlmError) and "offline" in str(error), error
        return True
    return False

forbid_network()
"""


def run(code: str, **environment: str) -> None:
    """Run code in a process with the guard on."""
    done = subprocess.run(
        [sys.executable, "-c", _START + textwrap.dedent(code)],
        env={"EDGE_SLM_LANG": "en", "PATH": "", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "call",
    [
        "socket.getaddrinfo, 'example.org', 443",
        "socket.getaddrinfo, b'example.org', 443",
        "socket.getaddrinfo, '192.0.2.1', 443",
        "socket.gethostbyname, 'example.org'",
        "socket.gethostbyname_ex, 'example.org'",
        "socket.gethostbyaddr, '192.0.2.1'",
        "socket.getnameinfo, ('192.0.2.1', 80), 0",
        "socket.create_connection, ('192.0.2.1', 80)",
        "socket.socket().connect, ('192.0.2.1', 80)",
        "socket.socket().connect_ex, ('192.0.2.1', 80)",
        "socket.socket(socket.AF_INET6).connect, ('2001:db8::1', 80)",
        "socket.socket(type=socket.SOCK_DGRAM).connect, ('192.0.2.1', 53)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto, b'x', ('192.0.2.1', 53)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto, b'x', 0, ('192.0.2.1', 53)",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg, [b'x'], [], 0, ('192.0.2.1', 53)",
        "__import__('urllib.request').request.urlopen, 'http://example.org/'",
    ],
)
def test_beyond_loopback_everything_is_stopped(call: str) -> None:
    run(f"assert stopped({call})")


@pytest.mark.parametrize(("family", "host"), [("AF_INET", "127.0.0.1"), ("AF_INET6", "::1")])
def test_loopback_works(family: str, host: str) -> None:
    run(
        f"""
        with socket.socket(socket.{family}) as server:
            try:
                server.bind(("{host}", 0))
            except OSError:
                raise SystemExit(0)  # this machine has no such loopback
            server.listen()
            client = socket.create_connection(server.getsockname()[:2])
            accepted, _ = server.accept()
            client.sendall(b"here")
            assert accepted.recv(4) == b"here"
        assert socket.getaddrinfo("localhost", 80)
        assert not stopped(socket.getaddrinfo, None, 0)
        """
    )


def test_unix_sockets_work() -> None:
    if sys.platform == "win32":
        pytest.skip("no Unix sockets on Windows")
    run(
        """
        import tempfile
        left, right = socket.socketpair()
        left.sendmsg([b"here"])
        assert right.recv(4) == b"here"
        with tempfile.TemporaryDirectory() as folder:
            name = folder + "/s"
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(name)
                server.listen()
                socket.socket(socket.AF_UNIX).connect(name)
        """
    )


def test_fetching_lifts_the_guard_and_puts_it_back() -> None:
    run(
        """
        assert all(os.environ[switch] == "1" for switch in SWITCHES)
        with network_allowed():
            assert not any(switch in os.environ for switch in SWITCHES)
            assert socket.getaddrinfo("192.0.2.1", 80)  # an address is read, nobody is asked
        assert all(os.environ[switch] == "1" for switch in SWITCHES)
        assert stopped(socket.getaddrinfo, "192.0.2.1", 80)
        try:
            with network_allowed():
                raise ValueError
        except ValueError:
            pass
        assert stopped(socket.getaddrinfo, "192.0.2.1", 80)
        """
    )


def test_switches_that_the_user_set_stay() -> None:
    run(
        """
        assert os.environ["HF_HUB_OFFLINE"] == "0"
        with network_allowed():
            assert os.environ["HF_HUB_OFFLINE"] == "0"
            assert "TRANSFORMERS_OFFLINE" not in os.environ
        assert os.environ["HF_HUB_OFFLINE"] == "0"
        assert os.environ["TRANSFORMERS_OFFLINE"] == "1"
        """,
        HF_HUB_OFFLINE="0",
    )


def test_asking_twice_for_the_guard_changes_nothing() -> None:
    run(
        """
        forbid_network()
        with network_allowed():
            assert not stopped(socket.getaddrinfo, "192.0.2.1", 80)
        assert stopped(socket.getaddrinfo, "192.0.2.1", 80)
        """
    )


def test_the_sentence_is_in_the_users_language() -> None:
    run(
        """
        try:
            socket.getaddrinfo("example.org", 80)
        except NetworkForbidden as error:
            assert "example.org" in str(error) and "hors ligne" in str(error), error
        else:
            raise SystemExit("not stopped")
        """,
        EDGE_SLM_LANG="fr",
    )


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1", "127.8.9.10", "::1", "::1%lo"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "0.0.0.0", "::", "localhost.example.org", "127.0.0.1.example.org", "é"]
)
def test_others_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_an_instrument_that_is_named_is_let_through_at_its_port_only() -> None:
    run(
        """
        from edge_slm.offline import allow_host
        assert stopped(socket.create_connection, ("192.168.77.3", 8080), 0.01)
        assert allow_host("192.168.77.3", 8080) == "192.168.77.3"
        assert not stopped(socket.getaddrinfo, "192.168.77.3", 8080)

        def tried(host, port):  # not blocking: nothing waits for a machine that is not there
            with socket.socket() as client:
                client.setblocking(False)
                return not stopped(client.connect_ex, (host, port))

        assert tried("192.168.77.3", 8080)
        assert not tried("192.168.77.3", 80)
        assert not tried("192.168.77.4", 8080)
        assert stopped(socket.gethostbyaddr, "192.168.77.3")
        assert stopped(socket.getaddrinfo, "192.168.77.4", 8080)
        assert stopped(socket.getaddrinfo, "example.org", 8080)
        """
    )


@pytest.mark.parametrize(
    "host",
    [
        *("192.0.2.1", "8.8.8.8", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),
        *("2001:db8::1", "::ffff:8.8.8.8", "::", "ff02::1", "134744072"),
    ],
)
def test_nothing_of_the_internet_can_be_named(host: str) -> None:
    run(
        f"""
        from edge_slm.errors import UsageError
        from edge_slm.offline import allow_host
        try:
            allow_host("{host}", 80)
        except UsageError as error:
            assert "local network" in str(error), error
        else:
            raise SystemExit("let through")
        assert stopped(socket.getaddrinfo, "192.0.2.1", 80)
        assert stopped(socket.socket().connect, ("192.0.2.1", 80))
        """
    )


@pytest.mark.parametrize(
    "host",
    [
        "10.1.2.3",
        "172.31.0.1",
        "169.254.9.9",
        "127.0.0.1",
        "::1",
        "fd00::7",
        "fe80::1%1",
        "::ffff:10.1.2.3",
    ],
)
def test_local_addresses_can_be_named(host: str) -> None:
    run(
        f"""
        from edge_slm.offline import allow_host
        try:
            socket.getaddrinfo("::1", 80)
        except OSError:
            raise SystemExit(0)  # this machine knows no IPv6
        assert allow_host("{host}", 80).split("%")[0] == "{host.split("%")[0]}"
        """
    )


def test_a_name_is_looked_up_once_and_its_address_kept() -> None:
    run(
        """
        from edge_slm import offline
        addresses = ["192.0.2.5", "192.168.77.9"]  # its own one, and one of the Internet
        asked = []

        def look_up(host, port, **_):
            sys_audit("socket.getaddrinfo", host, port, 0, 0, 0)
            asked.append(host)
            return [(2, 1, 6, "", (address, port)) for address in addresses]

        import sys
        sys_audit, real = sys.audit, socket.getaddrinfo
        socket.getaddrinfo = look_up
        assert offline.allow_host("plug.example.org", 80) == "192.168.77.9"
        socket.getaddrinfo = real
        assert asked == ["plug.example.org"]
        assert stopped(socket.getaddrinfo, "plug.example.org", 80)
        assert stopped(socket.socket().connect, ("192.0.2.5", 80))
        assert not stopped(socket.getaddrinfo, "192.168.77.9", 80)
        """
    )


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 300, "..", "x\\0y"])
def test_a_name_that_is_not_found_is_a_sentence(host: str) -> None:
    run(
        f"""
        from edge_slm.errors import UsageError
        from edge_slm.offline import allow_host
        try:
            allow_host("{host}", 80)
        except UsageError as error:
            assert "not found" in str(error), error
        else:
            raise SystemExit("let through")
        assert stopped(socket.getaddrinfo, "nowhere.invalid", 80)
        """
    )
