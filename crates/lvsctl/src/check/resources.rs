//! Resource scripts, which the sandbox of pulse's unit keeps from their work.

use std::path::Path;

use config::Cluster;
use config::model::Hook;

/// What loosens the sandbox.
const DROP_IN: &str = include_str!("../../../../etc/systemd/pulse-resources.conf");

/// Where it has to be.
const PLACE: &str = "/etc/systemd/system/pulse.service.d/resources.conf";

/// What is to be done before pulse can run the scripts; nothing where it is done, or there are
/// none.
pub(super) fn remark(cluster: &Cluster) -> Option<String> {
    if Path::new(PLACE).exists() {
        return None;
    }
    of(cluster)
}

fn of(cluster: &Cluster) -> Option<String> {
    let groups = cluster.pair.iter().flat_map(|pair| &pair.groups);
    let hooks = groups.flat_map(|group| &group.hooks);
    let inside = hooks.filter(|hook| is_inside(hook));
    let names: Vec<&str> = inside.map(|hook| hook.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let names = runtime::logging::sentence(&names.join(", "));
    Some(format!(
        "pulse runs {names} as root, but inside the sandbox of pulse.service, where nothing can be \
         mounted and most servers cannot be started. Let systemd do it \
         (start: [/usr/bin/systemctl, start, NAME], and stop so), or write this to \
         {PLACE}, then `systemctl daemon-reload`:\n\n{DROP_IN}"
    ))
}

/// systemctl only asks systemd, which works outside.
fn is_inside(hook: &Hook) -> bool {
    let programs = [&hook.start, &hook.stop].into_iter().filter_map(|argv| argv.first());
    let is_systemctl = |program: &String| Path::new(program).ends_with("systemctl");
    programs.into_iter().any(|program| !is_systemctl(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(hook: &str) -> Cluster {
        let text = format!(
            "routers: {{ a: {{ paths: [10.0.0.1] }}, b: {{ paths: [10.0.0.2] }} }}\n\
             groups: {{ web: {{ addresses: [192.168.1.1/24], hooks: [{hook}] }} }}"
        );
        let reader = |_: &Path| Ok(text.clone().into_bytes());
        let loaded = config::load(Path::new("cluster.yaml"), false, &reader);
        loaded.cluster.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
    }

    #[test]
    fn a_script_that_the_sandbox_stops_is_told_with_what_loosens_it() {
        let script = "{ name: data, start: [/etc/ha.d/resource.d/Filesystem, /dev/x, start] }";
        let remark = of(&cluster(script)).unwrap();
        assert!(remark.starts_with("pulse runs data as root, but inside the sandbox"), "{remark}");
        assert!(remark.ends_with(DROP_IN), "{remark}");
        let systemd = "{ start: [/usr/bin/systemctl, start, x], stop: [/bin/systemctl, stop, x] }";
        assert_eq!(of(&cluster(systemd)), None);
    }
}
