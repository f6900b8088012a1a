#!/usr/bin/env bash
# The LiteLLM proxy, which takes Azure OpenAI's addresses, in front of a server that speaks OpenAI's chat form.
#
#   bash tests/peers/litellm.sh DIR PORT UPSTREAM    runs in the foreground; stop it with Ctrl-C or kill PID
#
# UPSTREAM is such as http://127.0.0.1:8080. The one deployment is gpt-4o-mini, the key the one below.
#   /openai/deployments/gpt-4o-mini/chat/completions?api-version=…   LiteLLM reads the question and the answer and writes them anew
#   /openai/v1/chat/completions                                      LiteLLM passes both on
# Answers GET /health/liveliness once it is ready. A second run reuses DIR: about 740 MB, a minute to fetch.
set -euo pipefail
dir=${1:?usage: litellm.sh DIR PORT UPSTREAM}
port=${2:?usage: litellm.sh DIR PORT UPSTREAM}
upstream=${3:?usage: litellm.sh DIR PORT UPSTREAM}
# The last version before 1.107.0, which was withdrawn as compromised; wheels only, so that nothing of it runs while it is installed.
pin='litellm[proxy]==1.106.12'

key=sk-litellm-of-the-tests

mkdir -p "$dir"
venv=$dir/venv
if ! "$venv/bin/python" -c 'import litellm, granian' 2>/dev/null; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "$pin"
fi

config=$dir/$port
mkdir -p "$config"
cat >"$config/config.yaml" <<YAML
model_list:
  - model_name: gpt-4o-mini
    litellm_params: {model: openai/gpt-4o-mini, api_base: "$upstream/v1", api_key: unused}
general_settings: {custom_auth: doorkeeper.let_in}
router_settings: {num_retries: 0, disable_cooldowns: true}
YAML
# Its own keys would need a Postgres. What a refusal looks like is LiteLLM's all the same.
cat >"$config/doorkeeper.py" <<PYTHON
from fastapi import HTTPException
from litellm.proxy._types import UserAPIKeyAuth


async def let_in(request, api_key):
    if api_key != "$key":
        raise HTTPException(status_code=401, detail=f"Authentication Error, Invalid proxy server token passed. Received API Key = {api_key}")
    return UserAPIKeyAuth(api_key=api_key)
PYTHON
cd "$config"
# Prices from its wheel rather than from the net, and nothing told to anybody.
export LITELLM_MASTER_KEY=$key LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_LOG=ERROR OPENAI_API_BASE="$upstream" OPENAI_API_KEY=unused NO_PROXY=127.0.0.1
exec "$venv/bin/litellm" --config config.yaml --host 127.0.0.1 --port "$port" --telemetry False
