resource "test_thing" "a" {
  name = "a"
  lifecycle {
    enabled = true
    prevent_destroy = true
  }
}
