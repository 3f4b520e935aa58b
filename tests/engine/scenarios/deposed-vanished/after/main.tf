resource "test_thing" "a" {
  name = "a"
  zone = "y"
  lifecycle {
    create_before_destroy = true
  }
}
