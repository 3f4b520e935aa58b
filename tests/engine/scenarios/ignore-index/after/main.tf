resource "test_thing" "a" {
  name = "a"
  parents = ["x", "y"]
  lifecycle {
    ignore_changes = [parents[0]]
  }
}
