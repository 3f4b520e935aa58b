resource "test_thing" "a" {
  name = "a"
  zone = "y"
  lifecycle {
    prevent_destroy = true
  }
}
