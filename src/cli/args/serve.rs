//! `serve`, and who may ask it.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `vigil serve`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil serve dump.vigil                     dashboard at http://127.0.0.1:3000/\n  \
    vigil serve dump.vigil --addr 127.0.0.1:0  on a free port\n  \
    vigil serve cases/                         all cases in a folder\n  \
    vigil user add ann --role analyst && vigil serve dump.vigil --addr 0.0.0.0:3000 --host vigil.example \\\n  \
    \u{20}   --tls-cert chain.pem --tls-key key.pem\n\n\
    On loopback no login is asked for; any other address demands one. A live case is shown as its segments are sealed;\n\
    `vigil live --serve` shows it as it is written. The API describes itself at /api/v1/openapi.json.")]
pub struct ServeArgs {
    /// Case folder, or a folder of cases
    #[arg(value_name = "CASE|DIR")]
    pub case: PathBuf,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", env = "VIGIL_API_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: std::net::SocketAddr,
    /// Who may ask, and how.
    #[command(flatten)]
    pub door: DoorArgs,
    /// Captures that are sent here go into this folder, with the cases made of them [default: the current folder on loopback, else none are taken]
    #[arg(long, value_name = "DIR")]
    pub captures: Option<PathBuf>,
    /// Bytes that a capture may have which is sent here
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    pub capture_size: String,
}

/// Who may ask a server, and how: what `serve` and `live --serve` have in common
#[derive(Args, Debug)]
pub struct DoorArgs {
    /// Name by which browsers may ask for this server, beside addresses and localhost
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Demand a login on loopback as well
    #[arg(long)]
    pub login: bool,
    /// File of users [default: vigil/users.toml in your configuration folder]
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
    /// Certificate chain in PEM: serve https
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Seconds that a statement of SQL may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub sql_timeout: u64,
}

/// `vigil sql-worker`
#[derive(Args, Debug)]
pub struct SqlWorkerArgs {
    /// Case folder
    pub case: PathBuf,
    /// Rows to hand over
    #[arg(long)]
    pub rows: usize,
    /// Seconds that the server waits
    #[arg(long)]
    pub seconds: u64,
}

/// `vigil user`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  vigil user add ann --role analyst\n  vigil user key backup-script --role viewer\n  \
    vigil user list\n  vigil user remove ann\n\n\
    Roles: viewer reads; analyst also asks in SQL and says what became of findings; admin also sees how the server\n\
    is set up. A running server reads the file when it starts.")]
pub struct UserArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: UserAction,
    /// File of users [default: vigil/users.toml in your configuration folder]
    #[arg(long, value_name = "FILE", global = true)]
    pub users: Option<PathBuf>,
}

/// What to do with users.
#[derive(Subcommand, Debug)]
pub enum UserAction {
    /// Add a user, or give one another password; asks for the password, or reads it from a pipe
    Add {
        /// Name
        name: String,
        /// viewer, analyst or admin
        #[arg(long, default_value = "analyst")]
        role: crate::serve::Role,
    },
    /// Make an API key and print it, once
    Key {
        /// Name
        name: String,
        /// viewer, analyst or admin
        #[arg(long, default_value = "viewer")]
        role: crate::serve::Role,
    },
    /// List users and keys
    List,
    /// Remove a user and the key of that name
    Remove {
        /// Name
        name: String,
    },
}
