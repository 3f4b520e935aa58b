resource "test_thing" "a" {
  name = "a"
  zone = "z"
  lifecycle {
    create_before_destroy = true
  }
}
