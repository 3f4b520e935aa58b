resource "test_thing" "z" {
  name = "z"
}

data "test_lookup" "l" {
  name = "n-${test_thing.z.revision}"
}

resource "test_thing" "a" {
  name = "a"
  note = data.test_lookup.l.found
}
