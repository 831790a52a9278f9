#!/usr/bin/env python3
"""Speed of a GGUF file in llama.cpp, as `vola bench planner` measures its own.

    python llama_cpp_speed.py run FILE [--tokens 64] [--threads 2]

Reads so many tokens at once, then writes as many one after the other, greedily,
and prints one JSON object. A first round brings the weights into memory and does
not count. Needs llama-cpp-python; without it the exit code is 3.
"""

import argparse
import json
import sys
import time
from pathlib import Path

NO_PACKAGE = 3


def run(path, tokens, threads):
    try:
        import llama_cpp
        import numpy
    except ImportError as error:
        print(f"llama_cpp_speed.py: {error}", file=sys.stderr)
        sys.exit(NO_PACKAGE)
    model = llama_cpp.Llama(str(path), n_ctx=2048, n_batch=512, n_threads=threads, n_threads_batch=threads,
                            verbose=False, logits_all=False)
    words = model.n_vocab()
    prompt = [(7919 * n + 13) % min(words, 9000) for n in range(tokens)]

    def likeliest():
        logits = llama_cpp.llama_get_logits_ith(model.ctx, -1)
        return int(numpy.ctypeslib.as_array(logits, shape=(words,)).argmax())

    def once(written):
        model.reset()
        started = time.perf_counter()
        model.eval(prompt)
        token = likeliest()
        read = time.perf_counter()
        for _ in range(written):
            model.eval([token])
            token = likeliest()
        return read - started, time.perf_counter() - read

    once(2)
    reading, writing = once(tokens)
    print(json.dumps({"package": llama_cpp.__version__, "threads": threads, "tokens": tokens,
                      "read_tokens_per_second": tokens / reading, "written_tokens_per_second": tokens / writing}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    own = parser.parse_args()
    run(own.file, own.tokens, own.threads)


if __name__ == "__main__":
    main()
