resource "test_thing" "a" {
  name = "a"
}

check "found" {
  data "test_lookup" "l" { name = test_thing.a.name }
  assert {
    condition     = data.test_lookup.l.found == "found a"
    error_message = "Not so."
  }
}
