//! Mail as `.eml` files in a folder, for a machine without a mail server: nothing is lost, and any mail program opens them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use async_trait::async_trait;
use lettre::message::Mailbox;

use super::message::{key_hash, message, sender};
use super::{Channel, ChannelError};
use crate::domain::mail::Mail;

/// Longest readable part of a file's name, characters; the hash behind it makes it unique.
const NAME_CHARS_MAX: usize = 80;

/// Guarantees: a file that is there is whole and survives a crash; one `dedup_key`, one file.
pub struct OutboxChannel {
    folder: PathBuf,
    from: Mailbox,
}

impl OutboxChannel {
    /// The folder is made with the first mail.
    pub fn new(folder: &Path, from: &str) -> Result<Self, ChannelError> {
        Ok(Self { folder: folder.to_owned(), from: sender(from)? })
    }

    /// Where the mail with this key is, or will be.
    pub fn path(&self, dedup_key: &str) -> PathBuf {
        let readable: String = dedup_key
            .chars()
            .take(NAME_CHARS_MAX)
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
            .collect();
        let hash: String = key_hash(dedup_key).chars().take(12).collect();
        self.folder.join(format!("{}-{hash}.eml", readable.trim_matches('-')).trim_start_matches('-'))
    }
}

#[async_trait]
impl Channel for OutboxChannel {
    fn name(&self) -> &'static str {
        "outbox"
    }

    async fn send(&self, mail: &Mail) -> Result<(), ChannelError> {
        let path = self.path(&mail.dedup_key);
        let bytes = message(mail, &self.from, SystemTime::now())?.formatted();
        let shown = path.display().to_string();
        let later = |reason: String| ChannelError::Later(format!("cannot write {shown}: {reason}"));
        match tokio::task::spawn_blocking(move || write_once(&path, &bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(later(error.to_string())),
            Err(error) => Err(later(error.to_string())),
        }
    }
}

fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    // A name of this process: two that write the same mail must not share the unfinished file.
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let named = written.and_then(|()| fs::rename(&unfinished, path));
    if named.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&unfinished);
    }
    named?;
    sync_folder(folder)
}

/// The new name itself must survive a crash too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::domain::ids::IncidentId;
    use crate::domain::mail::MailKind;

    fn mail(dedup_key: &str, body: &str) -> Mail {
        Mail {
            dedup_key: dedup_key.to_owned(),
            incident: IncidentId::from("acme/7"),
            kind: MailKind::OnCall,
            to: "on-call@example.com".to_owned(),
            subject: "a subject".to_owned(),
            body: body.to_owned(),
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn one_key_is_one_file_and_the_first_text_stays() {
        let folder = TempDir::new().unwrap();
        let outbox = OutboxChannel::new(&folder.path().join("new/outbox"), "runmend@localhost").unwrap();
        outbox.send(&mail("acme/7#1/on_call", "first")).await.unwrap();
        outbox.send(&mail("acme/7#1/on_call", "second")).await.unwrap();
        outbox.send(&mail("acme/7#2/on_call", "other")).await.unwrap();
        let names = files(&folder.path().join("new/outbox"));
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names[0].starts_with("acme-7-1-on_call-") && names[0].ends_with(".eml"), "{names:?}");
        assert!(fs::read_to_string(outbox.path("acme/7#1/on_call")).unwrap().ends_with("\r\n\r\nfirst\r\n"));
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_delays_and_says_why() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        let outbox = OutboxChannel::new(&folder.path().join("file/outbox"), "runmend@localhost").unwrap();
        let error = outbox.send(&mail("k", "b")).await.unwrap_err();
        assert!(matches!(&error, ChannelError::Later(reason) if reason.contains("cannot write")), "{error:?}");
    }

    #[tokio::test]
    async fn a_bad_address_never_goes_out() {
        let folder = TempDir::new().unwrap();
        let outbox = OutboxChannel::new(folder.path(), "runmend@localhost").unwrap();
        let error = outbox.send(&Mail { to: "nobody at all".to_owned(), ..mail("k", "b") }).await.unwrap_err();
        assert_eq!(error, ChannelError::Never("`nobody at all` is no mail address".to_owned()));
        assert!(files(folder.path()).is_empty());
    }

    proptest! {
        #[test]
        fn no_key_leaves_the_folder(key in any::<String>(), other in any::<String>()) {
            let outbox = OutboxChannel::new(Path::new("/outbox"), "runmend@localhost").unwrap();
            let path = outbox.path(&key);
            prop_assert_eq!(path.parent(), Some(Path::new("/outbox")));
            prop_assert!(path.file_name().unwrap().len() <= 110);
            prop_assert_eq!(path == outbox.path(&other), key == other);
        }
    }
}
