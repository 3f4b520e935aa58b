resource "test_thing" "a" {
  name = "a"
  size = 2
  zone = "y"
  note = "n"
  lifecycle {
    ignore_changes = all
  }
}
