resource "test_thing" "a" {
  name = "a"
  zone = "y"
}

resource "test_thing" "b" {
  name = "b"
  zone = test_thing.a.id
  lifecycle {
    create_before_destroy = true
  }
}
