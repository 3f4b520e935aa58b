resource "test_thing" "a" {
  name = "a"
  zone = "x"
  lifecycle {
    prevent_destroy = true
  }
}
