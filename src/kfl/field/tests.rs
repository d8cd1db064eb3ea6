use super::*;

#[test]
fn constants_and_table_name_the_same_fields() {
    let table = parse(include_str!("../kfl-fields.json")).unwrap();
    assert_eq!(table.fields.len(), ids::NAMES.len());
    assert!(
        ids::NAMES.is_sorted(),
        "lookup searches by bisection, so the constants must be in order"
    );
    for (index, field) in table.fields.iter().enumerate() {
        assert_eq!(field.id.index(), index);
        assert_eq!(lookup(field.name), Some(field.id));
    }
    assert_eq!(FieldId::DST_POD_NAMESPACE.name(), "dst.pod.namespace");
    assert_eq!(
        FieldId::WS_RESPONSE_PAYLOAD_LENGTH,
        FieldId::all().last().unwrap()
    );
}

#[test]
fn a_table_with_a_field_too_many_or_too_few_is_refused() {
    let json = include_str!("../kfl-fields.json");
    let extra = json.replacen(
        "\"amqp\":",
        "\"amqp0\":{\"type\":\"int\",\"group\":\"x\"},\"amqp\":",
        1,
    );
    assert_eq!(parse(&extra).unwrap_err(), "no constant for `amqp0`");
    let missing = json.replacen("\"amqp\":", "\"amqp0\":", 1);
    assert_eq!(parse(&missing).unwrap_err(), "no row for `amqp`");
}

#[test]
fn types_and_units_are_those_of_the_file() {
    let elapsed = info(FieldId::ELAPSED_TIME);
    assert_eq!(
        (elapsed.kind, elapsed.unit.as_deref()),
        (Type::Int, Some("microseconds"))
    );
    assert_eq!(FieldId::POSTGRESQL_ERROR_CODE.kind(), Type::String);
    assert_eq!(FieldId::REQUEST_HEADERS.kind(), Type::Map);
    assert_eq!(FieldId::TIMESTAMP.kind(), Type::Timestamp);
    assert_eq!(lookup("dst.pod"), None);
    assert!(info(FieldId::DNS).is_protocol_flag() && !info(FieldId::DNS_REQUEST).is_protocol_flag());
}

#[test]
fn search_finds_by_name_group_unit_and_glob() {
    let names = |pattern: &str| search(pattern).iter().map(|field| field.name).collect::<Vec<_>>();
    assert_eq!(names("NAMESPACES"), ["namespaces"]);
    assert_eq!(names("microsec"), ["elapsed_time"]);
    assert_eq!(names("*.pod.name"), ["dst.pod.name", "src.pod.name"]);
    assert_eq!(names("dst.p?rt"), ["dst.port"]);
    assert!(names("http").contains(&"status_code"), "the group counts");
    assert_eq!(names("").len(), table().fields().len());
    assert_eq!(names("no such thing"), [""; 0]);
}
