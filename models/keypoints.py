"""The seventeen COCO keypoints in MoveNet's order. Left is the dancer's own left."""

KEYPOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
INDEX = {name: index for index, name in enumerate(KEYPOINTS)}

# For each keypoint the one on the other side of the body; mirroring a picture swaps them.
MIRRORED = tuple(
    INDEX[name.replace("left", "right") if "left" in name else name.replace("right", "left")] for name in KEYPOINTS
)

BONES = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
)
SKELETON = tuple((INDEX[a], INDEX[b]) for a, b in BONES)
