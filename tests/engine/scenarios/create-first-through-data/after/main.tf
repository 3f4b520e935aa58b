resource "test_thing" "a" {
  name = "a"
  zone = "y"
}

data "test_lookup" "l" { name = test_thing.a.id }

resource "test_thing" "b" {
  name = "b"
  note = data.test_lookup.l.found
  lifecycle {
    create_before_destroy = true
  }
}
