resource "test_thing" "a" {
  name = "a"
  zone = "x"
  lifecycle {
    create_before_destroy = true
  }
}
