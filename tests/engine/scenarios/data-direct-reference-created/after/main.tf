resource "test_thing" "z" {
  name = "z"
}

data "test_lookup" "l" {
  name = test_thing.z.name
}

resource "test_thing" "a" {
  name = "a"
  note = data.test_lookup.l.found
}
