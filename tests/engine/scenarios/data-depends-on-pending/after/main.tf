resource "test_thing" "z" {
  name = "z"
  size = 1
}

data "test_lookup" "l" {
  name = "l"
  depends_on = [test_thing.z]
}

resource "test_thing" "a" {
  name = "a"
  note = data.test_lookup.l.found
}
