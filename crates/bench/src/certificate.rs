//! A private certificate authority, and the certificate of the upstream.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// PEM files.
pub struct Certificate {
    /// The authority, for those who trust it.
    pub authority: PathBuf,
    /// The upstream's certificate,
    pub chain: PathBuf,
    /// and its key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one for 127.0.0.1. `localhost` is in it as well: nginx compares names only, not addresses.
    pub fn make(folder: &Path) -> Result<Self> {
        let mut params = CertificateParams::default();
        // With the same name as the certificate's, which both have by default, OpenSSL takes that for a self-signed one.
        let name = "Function Fetch benchmark authority";
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let write = |name: &str, pem: String| -> Result<PathBuf> {
            let file = folder.join(name);
            fs::write(&file, pem).with_context(|| format!("cannot write {}", file.display()))?;
            Ok(file)
        };
        Ok(Self {
            authority: write("authority.pem", issuer.pem())?,
            chain: write("upstream.pem", leaf.pem())?,
            key: write("upstream.key", key.serialize_pem())?,
        })
    }
}
