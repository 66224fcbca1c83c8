//! Files that commands write: whole, or not at all.

use std::io::{self, Write};
use std::path::Path;

use super::Failure;

/// Writes a file by `write`: under a temporary name beside it, and renamed when it is whole.
///
/// # Errors
/// It cannot be written.
pub(super) fn write_whole<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, Failure> {
    let cannot = |error: io::Error| Failure::could_not(format!("cannot write `{}`: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any file of the user's: temporary ones are his alone.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(cannot)?;
    let written = write(file.as_file_mut()).map_err(cannot)?;
    file.persist(path).map_err(|error| cannot(error.error))?;
    Ok(written)
}
