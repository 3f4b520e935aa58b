resource "test_thing" "a" {
  name = "a"
  lifecycle {
    ignore_changes = all
  }
}
