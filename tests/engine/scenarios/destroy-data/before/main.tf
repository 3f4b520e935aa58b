data "test_lookup" "l" { name = "l" }

resource "test_thing" "a" {
  name = "a"
  note = data.test_lookup.l.found
}
