//! The upstream: nginx with one worker and small static answers, the same for every proxy.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::bench::Bench;
use crate::certificate::Certificate;
use crate::pinning::Role;
use crate::proxy::nginx;
use crate::server::{Ready, Server, free_ports};

/// A body of 13 bytes.
pub const SMALL: &str = "/";
/// A body of 64 KiB.
pub const LARGE: &str = "/64k";
/// Takes a body, all of it, and answers with 13 bytes.
pub const SINK: &str = "/sink";

/// The size of [`LARGE`], and of what is sent to [`SINK`].
pub const LARGE_BYTES: usize = 64 * 1024;

/// As many targets as the engine takes.
const PORTS: usize = 32;

/// The running upstream.
pub struct Upstream {
    /// The process.
    pub server: Server,
    /// `127.0.0.1:PORT`, as often as the engine takes targets; all are this one server.
    pub authorities: Vec<String>,
    /// The same two behind TLS.
    pub tls_authorities: Vec<String>,
    /// Who signed its certificate.
    pub certificate: Certificate,
}

impl Upstream {
    /// Starts it.
    pub async fn start(bench: &Bench) -> Result<Self> {
        let program = bench.programs.nginx.as_ref();
        let program = program.map_err(|why| anyhow!("no upstream: {why}"))?;
        let ports = free_ports(PORTS + 2)?;
        let (plain, tls) = ports.split_at(PORTS);
        let folder = bench.folder.join(format!("upstream-{}", plain[0]));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("64k"), vec![b'x'; LARGE_BYTES])
            .context("cannot write the upstream's body")?;
        let certificate = Certificate::make(&folder)?;
        let listen = |ports: &[u16], options: &str| -> String {
            let line = |port: &u16| format!("    listen 127.0.0.1:{port}{options};\n");
            ports.iter().map(line).collect()
        };
        let socket = folder.join("sink.sock");
        let configuration = format!(
            "{preamble}
  open_file_cache max=10 inactive=1h;
  open_file_cache_valid 1h;
  # A POST is answered when its body is there, and nginx's own `return` does not wait for that: so nginx sends it on to
  # itself, without the body.
  upstream sink {{ server unix:{socket}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen unix:{socket};
    location / {{ return 200 \"Hello, world!\"; }}
  }}
  server {{
{plain}{tls}    ssl_certificate {chain};
    ssl_certificate_key {key};
    root {root};
    location = {SMALL} {{ return 200 \"Hello, world!\"; }}
    location = {SINK} {{
      proxy_pass http://sink/;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection \"\";
      proxy_set_header Content-Length \"\";
    }}
  }}
}}
",
            preamble = nginx::preamble(&folder, 1),
            socket = socket.display(),
            plain = listen(plain, ""),
            tls = listen(tls, " ssl"),
            chain = certificate.chain.display(),
            key = certificate.key.display(),
            root = folder.display(),
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration)?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).arg("-p").arg(&folder);
        let server = Server::start(
            bench,
            "the upstream",
            Role::Upstream,
            command,
            plain[0],
            Ready::Answers,
        )
        .await?;
        let authorities = |ports: &[u16]| {
            ports
                .iter()
                .map(|port| format!("127.0.0.1:{port}"))
                .collect()
        };
        Ok(Self {
            server,
            authorities: authorities(plain),
            tls_authorities: authorities(tls),
            certificate,
        })
    }
}
