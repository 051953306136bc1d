//! Real servers are asked by `nanny check`, which is the code of the daemon: with the right
//! password, with a wrong one, and after they were stopped.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod directories;
#[cfg(test)]
mod files;
#[cfg(test)]
mod host;
#[cfg(test)]
mod mailboxes;
#[cfg(test)]
mod mariadb;
#[cfg(test)]
mod postgresql;
