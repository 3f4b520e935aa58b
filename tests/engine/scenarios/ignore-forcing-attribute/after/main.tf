resource "test_thing" "a" {
  name = "a"
  zone = "y"
  lifecycle {
    ignore_changes = [zone]
  }
}
