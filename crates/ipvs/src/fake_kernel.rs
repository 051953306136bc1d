//! A model of the kernel's table that refuses what the kernel refuses, for tests without one.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Destination, DestinationKey, Family, Forwarding, Pool, Scheduler, Service, ServiceKey, Step,
    Table, Tunnel,
};

#[cfg(test)]
mod tests;

/// Why the kernel refuses a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is there already.
    #[error("exists already (EEXIST)")]
    Exists,
    /// There is no such virtual server.
    #[error("no such virtual server (ESRCH)")]
    NoService,
    /// There is no such real server, scheduler or persistence engine.
    #[error("no such real server, scheduler or persistence engine (ENOENT)")]
    NotFound,
    /// Weight above 2^31-1, or the lower threshold above the upper.
    #[error("weight or threshold out of range (ERANGE)")]
    OutOfRange,
    /// Values that do not belong together.
    #[error("invalid argument (EINVAL)")]
    Invalid,
}

impl Refusal {
    /// The error number that the kernel answers with on Linux.
    pub fn errno(self) -> i32 {
        match self {
            Self::NotFound => 2,
            Self::NoService => 3,
            Self::Exists => 17,
            Self::Invalid => 22,
            Self::OutOfRange => 34,
        }
    }
}

/// The model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FakeKernel {
    /// What it holds now.
    pub table: Table,
    /// Schedulers whose modules cannot be loaded.
    pub missing_schedulers: BTreeSet<Scheduler>,
    /// Steps that it has done, refused ones not counted.
    pub done: usize,
}

impl FakeKernel {
    /// A kernel that holds `table`.
    pub fn holding(table: Table) -> Self {
        Self { table, ..Self::default() }
    }

    /// Does one step, or refuses it and changes nothing.
    pub fn apply(&mut self, step: &Step) -> Result<(), Refusal> {
        match step {
            Step::AddService(key, service) => self.add_service(key, service),
            Step::EditService(key, service) => self.edit_service(key, service),
            Step::AddDestination(key, real, destination) => {
                let pool = self.pool_for(key, real, destination)?;
                if pool.destinations.contains_key(real) {
                    return Err(Refusal::Exists);
                }
                pool.destinations.insert(*real, destination.clone());
                Ok(())
            }
            Step::EditDestination(key, real, destination) => {
                let pool = self.pool_for(key, real, destination)?;
                let present = pool.destinations.get_mut(real).ok_or(Refusal::NotFound)?;
                *present = destination.clone();
                Ok(())
            }
            Step::RemoveDestination(key, real) => {
                let pool = self.table.get_mut(key).ok_or(Refusal::NoService)?;
                pool.destinations.remove(real).map(drop).ok_or(Refusal::NotFound)
            }
            Step::RemoveService(key) => self.table.remove(key).map(drop).ok_or(Refusal::NoService),
        }?;
        self.done += 1;
        Ok(())
    }

    /// Does the steps one after the other, going on after a refusal as a batch in the kernel does.
    pub fn apply_all(&mut self, steps: &[Step]) -> Vec<Result<(), Refusal>> {
        steps.iter().map(|step| self.apply(step)).collect()
    }

    fn add_service(&mut self, key: &ServiceKey, service: &Service) -> Result<(), Refusal> {
        if self.table.contains_key(key) {
            return Err(Refusal::Exists);
        }
        self.check_service(key, service)?;
        let pool = Pool { service: service.clone(), destinations: BTreeMap::new() };
        self.table.insert(*key, pool);
        Ok(())
    }

    fn edit_service(&mut self, key: &ServiceKey, service: &Service) -> Result<(), Refusal> {
        if !self.table.contains_key(key) {
            return Err(Refusal::NoService);
        }
        self.check_service(key, service)?;
        if let Some(pool) = self.table.get_mut(key) {
            pool.service = service.clone();
        }
        Ok(())
    }

    fn check_service(&self, key: &ServiceKey, service: &Service) -> Result<(), Refusal> {
        if self.missing_schedulers.contains(&service.scheduler) {
            return Err(Refusal::NotFound);
        }
        let Some(persistence) = &service.persistence else { return Ok(()) };
        if persistence.engine.as_deref().is_some_and(|engine| engine != "sip") {
            return Err(Refusal::NotFound);
        }
        let legal = match key.family() {
            Family::Inet => persistence.prefix_length <= 32,
            Family::Inet6 => (1..=128).contains(&persistence.prefix_length),
        };
        if legal { Ok(()) } else { Err(Refusal::Invalid) }
    }

    /// The pool that a real server with these attributes may be put into.
    fn pool_for(
        &mut self,
        key: &ServiceKey,
        real: &DestinationKey,
        destination: &Destination,
    ) -> Result<&mut Pool, Refusal> {
        let pool = self.table.get_mut(key).ok_or(Refusal::NoService)?;
        let tunnelled = destination.forwarding == Forwarding::Tunnel;
        if Family::of(real.ip()) != key.family() && !tunnelled {
            return Err(Refusal::Invalid);
        }
        if i32::try_from(destination.weight).is_err()
            || destination.lower_threshold > destination.upper_threshold
        {
            return Err(Refusal::OutOfRange);
        }
        if tunnelled && matches!(destination.tunnel, Tunnel::Gue { port: 0, .. }) {
            return Err(Refusal::Invalid);
        }
        Ok(pool)
    }
}
