resource "test_thing" "a" {
  name = "a"
  lifecycle {
    enabled = true
  }
}
