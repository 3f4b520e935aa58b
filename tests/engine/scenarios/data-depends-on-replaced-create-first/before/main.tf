resource "test_thing" "z" {
  name = "z"
  zone = "x"
  lifecycle {
    create_before_destroy = true
  }
}

data "test_lookup" "l" {
  name = test_thing.z.id
}

resource "test_thing" "a" {
  name = "a"
  note = data.test_lookup.l.found
}
