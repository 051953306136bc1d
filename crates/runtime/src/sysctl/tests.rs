use super::*;

fn values(all: &[(&str, &str)]) -> Values {
    all.iter().map(|(file, value)| ((*file).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_was_there_before_is_remembered_once_and_comes_back() {
    let wants = values(&[("a", "1"), ("b", "1"), ("none", "1")]);
    let mut before = Values::new();
    let changes = plan(&wants, &values(&[("a", "0"), ("b", "1")]), &mut before);
    assert_eq!(changes.len(), 1, "b is right, and none does not exist: {changes:?}");
    assert_eq!(changes[0].shown(), "net.a 0 to 1");
    assert_eq!(before, values(&[("a", "0")]));

    // Somebody writes it: it is set again, and what was there first is not forgotten.
    let changes = plan(&wants, &values(&[("a", "2"), ("b", "1")]), &mut before);
    assert_eq!(changes.len(), 1);
    assert_eq!(before, values(&[("a", "0")]));
    assert_eq!(plan(&wants, &values(&[("a", "1"), ("b", "1")]), &mut before), []);

    let changes = plan(&Values::new(), &values(&[("a", "1"), ("b", "1")]), &mut before);
    let back = Change { file: "a".to_owned(), from: "1".to_owned(), to: "0".to_owned() };
    assert_eq!(changes, [back]);
    assert_eq!(before, Values::new());
}

#[test]
fn files_are_read_and_written_below_the_root() {
    let root = std::env::temp_dir().join(format!("caribe-sysctl-{}", std::process::id()));
    std::fs::create_dir_all(root.join("ipv4/conf/eth0")).unwrap();
    std::fs::create_dir_all(root.join("ipv4/conf/all")).unwrap();
    std::fs::write(root.join("ipv4/ip_forward"), "0\n").unwrap();
    assert_eq!(interfaces(&root), ["eth0"]);
    let wants = values(&[("ipv4/ip_forward", "1"), ("ipv4/none", "1")]);
    let now = read(&root, wants.keys());
    assert_eq!(now, values(&[("ipv4/ip_forward", "0")]));
    for change in plan(&wants, &now, &mut Values::new()) {
        write(&root, &change).unwrap();
    }
    assert_eq!(std::fs::read_to_string(root.join("ipv4/ip_forward")).unwrap(), "1");
    std::fs::remove_dir_all(&root).unwrap();
}
