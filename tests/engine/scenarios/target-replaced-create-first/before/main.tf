resource "test_thing" "a" {
  name = "a"
  zone = "x"
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a.id
}
