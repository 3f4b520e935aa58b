resource "test_thing" "a" {
  name = "a"
  zone = "y"
}

resource "test_thing" "b" {
  name = "b"
  zone = "free"
  lifecycle {
    create_before_destroy = true
  }
}
