resource "test_thing" "x" {
  name = "x"
  zone = "2"
}

resource "test_thing" "a" {
  name = "a"
  zone = "2"
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a.id
}
