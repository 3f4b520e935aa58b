resource "test_thing" "a" {
  name = "a"
  size = 1
  lifecycle {
    prevent_destroy = true
  }
}
