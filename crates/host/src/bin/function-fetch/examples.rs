//! The examples of `--help`.

pub const ALL: &str = "\
Examples:
  FETCH_TARGETS=\"https://us.example.com https://eu.example.com\" function-fetch serve
  function-fetch probe https://us.example.com https://eu.example.com
  function-fetch check --env FETCH_HEDGE_MS=250

`function-fetch help COMMAND` has more.";

pub const SERVE: &str = "\
Examples:
  Serve in front of two targets, on port 3000 of this machine:
    FETCH_TARGETS=\"https://us.example.com https://eu.example.com\" function-fetch serve
  On every address, with a record of each request:
    function-fetch serve --listen 0.0.0.0:8080 --access-log access.log --env FETCH_TARGETS=https://us.example.com
  With a Redis that several machines share:
    function-fetch serve --runtime-config-file runtime-config.toml
  Another component:
    function-fetch serve composed.wasm";

pub const PROBE: &str = "\
Examples:
  function-fetch probe https://us.example.com https://eu.example.com
  FETCH_TARGETS=https://us.example.com FETCH_HEALTH_PATH=/health function-fetch probe --samples 10
  function-fetch probe --watch --interval 5s https://us.example.com https://eu.example.com
  function-fetch probe --json https://us.example.com | jq '.[0].latency_ms'";

pub const CHECK: &str = "\
Examples:
  FETCH_TARGETS=https://us.example.com function-fetch check
  function-fetch check --env FETCH_TARGETS=https://us.example.com --env FETCH_HEDGE_MS=250
  function-fetch check --schema > settings.schema.json";

pub const COMPLETIONS: &str = "\
Examples:
  function-fetch completions bash > ~/.local/share/bash-completion/completions/function-fetch
  function-fetch completions zsh > ~/.zfunc/_function-fetch
  function-fetch completions fish > ~/.config/fish/completions/function-fetch.fish";
