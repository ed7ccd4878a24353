"""Starts the llama.cpp server of the xllamacpp package, by some of llama-server's options.

Runs in the peer's own environment; make_peer.py puts it there.
"""

import argparse
import signal

import xllamacpp


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    for option in ("--port", "--threads", "--threads-batch", "--ctx-size", "--parallel"):
        parser.add_argument(option, type=int, required=True)
    given = parser.parse_args()
    signals = {signal.SIGTERM, signal.SIGINT}
    # Before the server starts its threads, so that they leave the signals to `sigwait`.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    params = xllamacpp.CommonParams()
    params.model.path = given.model
    params.hostnames = [given.host]
    params.port = given.port
    params.n_ctx = given.ctx_size
    params.n_parallel = given.parallel
    params.cpuparams.n_threads = given.threads
    params.cpuparams_batch.n_threads = given.threads_batch
    params.ui = False
    server = xllamacpp.Server(params)
    signal.sigwait(signals)
    del server


if __name__ == "__main__":
    main()
