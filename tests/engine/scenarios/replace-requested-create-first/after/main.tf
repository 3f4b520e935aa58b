resource "test_thing" "a" {
  name = "a"
  lifecycle {
    create_before_destroy = true
  }
}
