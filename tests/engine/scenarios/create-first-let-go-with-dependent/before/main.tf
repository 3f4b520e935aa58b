resource "test_thing" "x" {
  name = "x"
  zone = "1"
}

resource "test_thing" "a" {
  name = "a"
  zone = "1"
  note = test_thing.x.id
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a.id
}
