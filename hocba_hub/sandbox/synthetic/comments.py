"""Sentences that teachers' comments are put together from; by rank (0 the best, 3 the weakest)."""

from __future__ import annotations

from random import Random

from hocba_hub.sandbox.synthetic.people import pick

_OPENINGS = (
    (
        "Em nắm vững kiến thức trọng tâm của chương trình, trình bày mạch lạc và luôn chủ động phát biểu trong giờ",
        "Kết quả học tập xuất sắc và ổn định qua cả hai học kì; em biết tự tìm thêm tài liệu để mở rộng điều đã học",
        "Tiếp thu nhanh, lập luận chặt chẽ, hoàn thành đầy đủ các nhiệm vụ học tập với chất lượng cao so với yêu cầu",
        "Em có năng lực nổi trội, thường xuyên giúp đỡ bạn trong nhóm và đưa ra nhiều cách giải quyết sáng tạo",
        "Rất tích cực trong mọi hoạt động của lớp, bài kiểm tra định kì đạt kết quả cao, trình bày khoa học, sạch sẽ",
    ),
    (
        "Em nắm được phần lớn kiến thức cơ bản, hoàn thành bài tập đúng hạn và có ý thức xây dựng bài trong giờ học",
        "Có tiến bộ rõ so với học kì I, tiếp thu bài khá, kĩ năng trình bày tương đối rõ ràng và đúng trọng tâm",
        "Chăm chỉ, nghiêm túc trong giờ học, vận dụng được kiến thức vào các tình huống quen thuộc của cuộc sống",
        "Kết quả khá đồng đều ở các bài kiểm tra; em biết hợp tác với bạn và lắng nghe góp ý của thầy cô",
        "Em hiểu bài, làm tốt các dạng bài cơ bản, bước đầu giải quyết được những yêu cầu ở mức vận dụng",
    ),
    (
        "Em đạt yêu cầu cần đạt của môn học ở mức cơ bản, song kết quả giữa các bài kiểm tra còn chưa ổn định",
        "Có cố gắng trong học kì II nhưng việc chuẩn bị bài ở nhà chưa thường xuyên, còn thiếu tập trung trong giờ",
        "Em hiểu những nội dung chính, tuy vậy kĩ năng vận dụng còn hạn chế và trình bày bài làm chưa thật cẩn thận",
        "Hoàn thành phần lớn nhiệm vụ học tập được giao; còn rụt rè khi phát biểu và làm việc trong nhóm",
    ),
    (
        "Em chưa đạt một số yêu cầu cơ bản của chương trình, kiến thức còn nhiều chỗ hổng cần được bổ sung ngay",
        "Kết quả học tập còn thấp, em chưa chủ động ôn tập và thường chưa hoàn thành bài tập được giao về nhà",
        "Em gặp nhiều khó khăn khi làm bài độc lập, cần thầy cô và gia đình theo sát, động viên hằng tuần",
    ),
)
_ADVICE = (
    (
        "Đề nghị em tiếp tục phát huy, thử sức ở các cuộc thi và đề tài nghiên cứu khoa học dành cho học sinh.",
        "Nên đọc thêm sách tham khảo nâng cao, chia sẻ phương pháp học với các bạn để cả tập thể cùng tiến bộ.",
        "Cần giữ vững tinh thần ham học hỏi và đặt cho mình những mục tiêu cao hơn trong năm học tới.",
        "Thầy cô tin tưởng em sẽ còn tiến xa nếu tiếp tục rèn luyện đều đặn và biết cân đối thời gian.",
    ),
    (
        "Cần luyện tập thêm các bài ở mức vận dụng cao và mạnh dạn nêu ý kiến riêng của mình trước tập thể lớp.",
        "Nên lập kế hoạch ôn tập theo tuần, rà soát lại những lỗi đã gặp để đạt kết quả tốt hơn.",
        "Nếu cẩn thận hơn khi trình bày và kiểm tra lại bài, em hoàn toàn có thể đạt mức tốt ở năm học sau.",
        "Tiếp tục duy trì nề nếp học tập, tăng cường đọc sách và trao đổi với thầy cô khi chưa hiểu bài.",
    ),
    (
        "Cần dành nhiều thời gian hơn cho việc tự học, ghi chép đầy đủ và làm lại các bài đã chữa trên lớp.",
        "Đề nghị gia đình phối hợp nhắc nhở việc học ở nhà để em củng cố lại kiến thức nền của các chương trước.",
        "Em nên mạnh dạn hỏi bài, học cùng bạn và luyện tập các dạng cơ bản đến khi thật thành thạo.",
    ),
    (
        "Em cần ôn tập trong hè theo kế hoạch của nhà trường và tham gia đủ các buổi phụ đạo của giáo viên bộ môn.",
        "Đề nghị gia đình theo dõi việc học hằng ngày, phối hợp với nhà trường giúp em lấy lại kiến thức cơ bản.",
        "Cần học lại các nội dung trọng tâm, hoàn thành bài tập bổ trợ và kiểm tra lại theo đúng thời hạn.",
    ),
)
_SKILLS: dict[str, tuple[str, ...]] = {
    "NGV": (
        "kĩ năng đọc hiểu văn bản văn học và viết bài nghị luận xã hội thể hiện rõ quan điểm cá nhân",
        "khả năng cảm thụ thơ ca, phân tích nhân vật và tạo lập văn bản thông tin đúng thể thức",
    ),
    "TOA": (
        "năng lực tư duy, lập luận toán học và sử dụng công cụ để giải các bài toán thực tiễn",
        "kĩ năng biến đổi đại số, dựng hình và đọc, phân tích số liệu thống kê từ bảng, biểu đồ",
    ),
    "NN1": (
        "bốn kĩ năng nghe, nói, đọc, viết theo các chủ đề trong chương trình, nhất là phát âm và từ vựng",
        "khả năng giao tiếp bằng ngoại ngữ trong tình huống quen thuộc và viết đoạn văn ngắn mạch lạc",
    ),
    "LSU": ("việc trình bày tiến trình lịch sử, khai thác tư liệu và liên hệ với lịch sử địa phương Hưng Yên",),
    "DLI": ("kĩ năng đọc bản đồ, Atlat, nhận xét biểu đồ và giải thích mối quan hệ giữa tự nhiên và kinh tế",),
    "LDL": ("việc xác định sự kiện, nhân vật trên trục thời gian và đọc bản đồ, lược đồ của các vùng miền",),
    "KTN": ("kĩ năng quan sát, thực hành thí nghiệm an toàn và giải thích các hiện tượng tự nhiên quanh ta",),
    "VLI": ("việc vận dụng các định luật vật lí, đo đạc, xử lí sai số và mô tả kết quả bằng đồ thị",),
    "HOA": ("kĩ năng viết phương trình hóa học, tính toán theo phương trình và thực hành trong phòng thí nghiệm",),
    "SIN": ("kiến thức về tế bào, di truyền, hệ sinh thái và ý thức bảo vệ sức khỏe, môi trường sống",),
    "TIN": ("kĩ năng sử dụng máy tính, lập trình trực quan và ứng xử văn minh, an toàn trên môi trường số",),
    "CNG": ("khả năng đọc bản vẽ, lựa chọn vật liệu và hoàn thành sản phẩm của dự án công nghệ theo nhóm",),
    "GCD": ("nhận thức về chuẩn mực đạo đức, quyền và nghĩa vụ công dân cùng việc thực hiện trong đời sống",),
    "KPL": ("hiểu biết về hoạt động kinh tế, lập kế hoạch tài chính cá nhân và chấp hành pháp luật",),
    "QPA": ("hiểu biết về quốc phòng, truyền thống quân đội và các động tác đội ngũ từng người không có súng",),
    "GTC": ("thể lực, kĩ thuật chạy cự li trung bình, cầu lông và tinh thần đồng đội khi thi đấu thể thao",),
    "NTH": ("khả năng hát đúng cao độ, đọc nhạc và thể hiện ý tưởng tạo hình qua các sản phẩm mĩ thuật",),
    "AMN": ("khả năng cảm thụ âm nhạc, đọc nhạc và biểu diễn các làn điệu chèo, dân ca đồng bằng Bắc Bộ",),
    "MTH": ("năng lực quan sát, phối màu, bố cục và hoàn thành sản phẩm thiết kế mang dấu ấn riêng",),
    "HTN": ("việc tham gia hoạt động tập thể, hoạt động vì cộng đồng và tìm hiểu nghề nghiệp ở địa phương",),
    "GDP": ("hiểu biết về di tích Phố Hiến, đền Trần, chùa Keo, làng nghề và nét văn hóa của quê hương Hưng Yên",),
    "NN2": ("kĩ năng nghe, nói cơ bản và vốn từ vựng theo chủ đề của ngoại ngữ thứ hai",),
    "NNG": ("vốn từ vựng, ngữ pháp cơ bản và sự tự tin khi giao tiếp bằng ngoại ngữ hằng ngày",),
}
_LINKS = ("; thể hiện qua ", "; đáng chú ý là ", "; thầy cô ghi nhận ", ", đặc biệt ở ")
_WEAK_LINKS = ("; cần quan tâm hơn đến ", "; cần rèn thêm ", ", còn lúng túng về ", "; chưa thật vững về ")
_HOMEROOM = (
    ("Ngoan, lễ phép, gương mẫu trong học tập và rèn luyện", "Có ý thức tự giác cao, là nòng cốt của phong trào lớp"),
    ("Chấp hành tốt nội quy, hòa đồng với bạn bè", "Chăm ngoan, có trách nhiệm với công việc được giao"),
    ("Có cố gắng nhưng chưa đều, đôi lúc còn mất trật tự", "Hiền, ít nói, cần mạnh dạn hơn trong hoạt động tập thể"),
    ("Cần nghiêm khắc với bản thân hơn, đi học chưa chuyên cần", "Chưa tập trung học tập, cần sự kèm cặp sát sao"),
)
_NOTICED = (
    "tích cực tham gia lao động, giữ gìn vệ sinh trường lớp", "yêu quý thầy cô, giúp đỡ bạn gặp khó khăn",
    "tham gia đều các buổi sinh hoạt Đội, Đoàn", "biết chia sẻ, trung thực trong kiểm tra",
    "có năng khiếu thể thao và văn nghệ", "thực hiện tốt an toàn giao thông và phòng chống đuối nước",
)  # fmt: skip
_DEGREE_TEXTS = (
    ("Em mạnh dạn, tự tin, biết giao tiếp và hợp tác tốt với bạn", "Em có ý thức tự học, tự giải quyết vấn đề tốt"),
    ("Em biết hợp tác với bạn, hoàn thành nhiệm vụ được giao", "Em thực hiện được nhiệm vụ học tập, có tiến bộ"),
    ("Em cần tự tin hơn khi trao đổi với bạn và thầy cô", "Em cần cố gắng tự giác hơn trong giờ học"),
)


def subject_comment(rng: Random, code: str, rank: int) -> str:
    """What a subject teacher writes at secondary: some 250 to 350 characters."""
    link = pick(rng, _LINKS if rank <= 1 else _WEAK_LINKS)
    return f"{pick(rng, _OPENINGS[rank])}{link}{pick(rng, _SKILLS[code])}. {pick(rng, _ADVICE[rank])}"


def homeroom_comment(rng: Random, rank: int) -> str:
    """What the homeroom teacher writes of the year."""
    return f"{pick(rng, _HOMEROOM[rank])}; {pick(rng, _NOTICED)}. {pick(rng, _ADVICE[rank])}"


def degree_comment(rng: Random, rank: int) -> str:
    """What is written at primary of qualities or capacities; `rank` from 0 to 2."""
    return f"{pick(rng, _DEGREE_TEXTS[rank])}; {pick(rng, _NOTICED)}."
