resource "test_thing" "a" {
  name = "a"
  tags = { l = "1" }
  lifecycle {
    ignore_changes = [tags["k"]]
  }
}
