//! Users and API keys: one file that only its owner can read. Passwords are stored as Argon2id hashes, keys as SHA-256 of 256 random bits.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use base64::Engine;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Shortest password that is taken.
pub const PASSWORD_CHARS: usize = 10;
/// Bytes of a password that are looked at, so that nobody makes the hash work for its living.
const PASSWORD_BYTES: usize = 1_024;
/// What API keys begin with, so that they are found where they should not be.
const KEY: &str = "vigil_";

/// A hash of nothing in particular, with the parameters of all others.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a user may do; each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, asks in SQL, and says what became of findings.
    Analyst,
    /// All that, and sees how the server is set up.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Viewer, Self::Analyst, Self::Admin]
            .into_iter()
            .find(|role| role.to_string() == text)
            .ok_or_else(|| "write viewer, analyst or admin".into())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct User {
    name: String,
    role: Role,
    /// PHC string.
    password: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Key {
    name: String,
    role: Role,
    sha256: String,
}

/// The file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    #[serde(default, rename = "user")]
    users: Vec<User>,
    #[serde(default, rename = "key")]
    keys: Vec<Key>,
}

/// What can be wrong with the file or what is put into it.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// Reading or writing it.
    #[error("cannot {doing} the users in '{path}': {error}")]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// Which.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
    /// Others can read it.
    #[error("'{0}' can be read by others than its owner. Make it private with `chmod 600`, and change the passwords in it")]
    NotPrivate(String),
    /// Not understood.
    #[error("'{path}' is not understood: {why}")]
    Text {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// A name that is no name.
    #[error("{0:?} is no name for a user: use 1 to 64 letters, digits, and . _ - @")]
    Name(String),
    /// A password that is too short.
    #[error("the password is too short: use at least {PASSWORD_CHARS} characters, such as four random words")]
    Short,
    /// Nobody of that name.
    #[error("there is no user and no key named {0:?}; `vigil user list` names them")]
    Unknown(String),
    /// The system gives no randomness, or no memory for a hash.
    #[error("cannot hash the password: {0}")]
    Hash(String),
}

/// Where the users of whoever runs vigil are kept.
pub fn default_path() -> PathBuf {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    config.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("vigil/users.toml")
}

/// 256 random bits as 43 letters that need no quoting anywhere.
pub fn secret() -> Result<String, UsersError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| UsersError::Hash("the system gives no randomness".into()))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

/// SHA-256, for secrets that have enough randomness of their own.
pub fn digest(secret: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()))
}

/// Whether the password has that hash. Without a hash it takes as long, so that names cannot be told by the time.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let long = password.len() > PASSWORD_BYTES;
    let password = if long { "" } else { password };
    let right = Argon2::default().verify_password(password.as_bytes(), hash.unwrap_or(DUMMY)).is_ok();
    right && hash.is_some() && !long
}

impl Users {
    /// Reads the file; one that is not there has no users. One that others can read is refused.
    pub fn read(path: &Path) -> Result<Self, UsersError> {
        let said = || path.display().to_string();
        let failed = |error| UsersError::File { doing: "read", path: said(), error };
        let about = match fs::metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        if !is_private(&about) {
            return Err(UsersError::NotPrivate(said()));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        toml::from_str(&text).map_err(|error| UsersError::Text { path: said(), why: error.message().into() })
    }

    /// Writes the file, readable by its owner alone, beside the old one and then in its place.
    pub fn write(&self, path: &Path) -> Result<(), UsersError> {
        let failed = |error| UsersError::File { doing: "write", path: path.display().to_string(), error };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let text = toml::to_string(self).map_err(|error| UsersError::Text { path: path.display().to_string(), why: error.to_string() })?;
        let beside = path.with_extension("toml.new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&beside, path).map_err(failed)
    }

    /// Nobody can log in, and no key is taken.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.keys.is_empty()
    }

    /// Adds a user, or gives the user of that name another password and role.
    pub fn set(&mut self, name: &str, role: Role, password: &str) -> Result<(), UsersError> {
        named(name)?;
        if password.chars().count() < PASSWORD_CHARS || password.len() > PASSWORD_BYTES {
            return Err(UsersError::Short);
        }
        let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| UsersError::Hash(error.to_string()))?;
        self.users.retain(|user| user.name != name);
        self.users.push(User { name: name.into(), role, password: hash.to_string() });
        Ok(())
    }

    /// Makes an API key, which is told once and stored as its hash. An earlier one of that name is replaced.
    pub fn new_key(&mut self, name: &str, role: Role) -> Result<String, UsersError> {
        named(name)?;
        let key = format!("{KEY}{}", secret()?);
        self.keys.retain(|key| key.name != name);
        self.keys.push(Key { name: name.into(), role, sha256: digest(&key) });
        Ok(key)
    }

    /// Removes the user and the key of that name.
    pub fn remove(&mut self, name: &str) -> Result<(), UsersError> {
        let before = self.users.len() + self.keys.len();
        self.users.retain(|user| user.name != name);
        self.keys.retain(|key| key.name != name);
        if self.users.len() + self.keys.len() < before { Ok(()) } else { Err(UsersError::Unknown(name.into())) }
    }

    /// Kind, name and role of each.
    pub fn list(&self) -> Vec<(&'static str, &str, Role)> {
        let users = self.users.iter().map(|user| ("user", user.name.as_str(), user.role));
        users.chain(self.keys.iter().map(|key| ("key", key.name.as_str(), key.role))).collect()
    }

    /// The hash of a user's password.
    pub fn hash(&self, name: &str) -> Option<String> {
        self.users.iter().find(|user| user.name == name).map(|user| user.password.clone())
    }

    /// What a user may do.
    pub fn role(&self, name: &str) -> Option<Role> {
        self.users.iter().find(|user| user.name == name).map(|user| user.role)
    }

    /// Whose key it is. Compared by hash: the time tells nothing about the key.
    pub fn of_key(&self, key: &str) -> Option<(String, Role)> {
        let hash = key.starts_with(KEY).then(|| digest(key))?;
        self.keys.iter().find(|key| key.sha256 == hash).map(|key| (key.name.clone(), key.role))
    }
}

fn named(name: &str) -> Result<(), UsersError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    if (1..=64).contains(&name.len()) && name.chars().all(plain) { Ok(()) } else { Err(UsersError::Name(name.into())) }
}

#[cfg(unix)]
fn is_private(about: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 == 0
}

#[cfg(not(unix))]
fn is_private(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_checked_against_its_hash_and_no_other() {
        let mut users = Users::default();
        users.set("ann", Role::Analyst, "correct horse battery").unwrap();
        let hash = users.hash("ann");
        assert!(verify("correct horse battery", hash.as_deref()));
        assert!(!verify("correct horse batterx", hash.as_deref()) && !verify("", hash.as_deref()));
        assert!(!verify("anything", None) && !verify("", None));
        assert!(hash.is_some_and(|hash| hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")));
        assert!(matches!(users.set("bob", Role::Viewer, "short"), Err(UsersError::Short)));
        assert!(matches!(users.set("bob\n", Role::Viewer, "long enough as it is"), Err(UsersError::Name(_))));
    }

    #[test]
    fn an_unknown_name_costs_the_same_work() {
        let real = Argon2::default().hash_password(b"correct horse battery").unwrap();
        let dummy = argon2::password_hash::phc::PasswordHash::new(DUMMY).unwrap();
        assert_eq!((dummy.algorithm, dummy.version, dummy.params), (real.algorithm, real.version, real.params));
    }

    #[test]
    fn the_file_is_private_and_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/users.toml");
        let mut users = Users::read(&path).unwrap();
        assert!(users.is_empty());
        users.set("ann", Role::Admin, "correct horse battery").unwrap();
        let key = users.new_key("script", Role::Viewer).unwrap();
        users.write(&path).unwrap();
        let read = Users::read(&path).unwrap();
        assert_eq!(read.list(), [("user", "ann", Role::Admin), ("key", "script", Role::Viewer)]);
        assert_eq!(read.of_key(&key), Some(("script".into(), Role::Viewer)));
        assert_eq!(read.of_key(&key[..key.len() - 1]), None);
        assert!(!fs::read_to_string(&path).unwrap().contains(&key));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            assert!(matches!(Users::read(&path), Err(UsersError::NotPrivate(_))));
        }
    }

    #[test]
    fn whoever_is_removed_is_gone() {
        let mut users = Users::default();
        let key = users.new_key("script", Role::Viewer).unwrap();
        users.remove("script").unwrap();
        assert_eq!(users.of_key(&key), None);
        assert!(matches!(users.remove("script"), Err(UsersError::Unknown(_))));
    }
}
